{{/* What runs: an image that knows nothing of us. */}}

{{- define "program.command" -}}
{{- with .Values.command }}
command:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "program.user" -}}{{ .Values.user.id }}{{- end }}

{{- define "program.group" -}}{{ .Values.user.group }}{{- end }}

{{- define "program.probes" -}}
# Start-up may wait for what the program cannot begin without: an outage of that must not
# restart every new pod.
startupProbe:
  {{- toYaml .Values.probes.ready | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 1800
livenessProbe:
  {{- toYaml .Values.probes.live | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  {{- toYaml .Values.probes.ready | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{- define "program.variables" -}}
{}
{{- end }}

{{/* Secrets are variables: the program cannot be told to read files. */}}
{{- define "program.references" }}
{{- range $role, $use := .Values.uses }}
- name: {{ $role | upper | replace "-" "_" }}_URI
  valueFrom:
    secretKeyRef:
      name: {{ $use.secret | default $use.resource | quote }}
      key: uri
{{- range $variable, $key := dict "HOST" "host" "PORT" "port" "USER" "username" "PASSWORD" "password" "DATABASE" "database" }}
- name: {{ $role | upper | replace "-" "_" }}_{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $use.secret | default $use.resource | quote }}
      key: {{ $key }}
      optional: true
{{- end }}
{{- end }}
{{- range $name, $reference := .Values.secrets }}
- name: {{ $name | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ $reference.secret | quote }}
      key: {{ $reference.key | quote }}
{{- end }}
{{- end }}

{{/* What can be written, in Mi. */}}
{{- define "program.storage" -}}
{{- $total := int (trimSuffix "Mi" .Values.compute.temporary) }}
{{- range .Values.writable }}
{{- $total = add $total (trimSuffix "Mi" .size) }}
{{- end }}
{{- $total }}
{{- end }}

{{- define "program.mounts" -}}
{{- range $index, $folder := .Values.writable }}
- name: writable-{{ $index }}
  mountPath: {{ $folder.path | quote }}
{{- end }}
{{- end }}

{{- define "program.volumes" -}}
{{- range $index, $folder := .Values.writable }}
- name: writable-{{ $index }}
  emptyDir:
    sizeLimit: {{ $folder.size }}
{{- end }}
{{- end }}
