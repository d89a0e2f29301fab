{{/* What runs: the service's own program, which knows how to be asked and to be stopped. */}}

{{- define "program.command" -}}
args: [serve]
{{- end }}

{{- define "program.user" -}}65532{{- end }}

{{- define "program.group" -}}65532{{- end }}

{{- define "program.probes" -}}
# Start-up waits for what the service cannot begin without, such as the first answer
# of its database: an outage of that must not restart every new pod.
startupProbe:
  httpGet: {path: /health/started, port: admin}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 1800
livenessProbe:
  httpGet: {path: /health/live, port: admin}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /health/ready, port: admin}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{/* Secrets are mounted as files: NAME_FILE says where. The connections of all replicas, and of the one
more that a rollout starts, leave some of the 100 that PostgreSQL allows to others. A replica needs
two, since the outbox holds one while it publishes. */}}
{{- define "program.variables" -}}
SHUTDOWN_TIMEOUT: {{ int .Values.shutdown.timeoutSeconds }}s
{{- range $name, $port := .Values.ports }}
{{ upper $name }}_ADDR: ":{{ int $port }}"
{{- end }}
{{- range $role, $use := .Values.uses }}
{{- $prefix := $role | upper | replace "-" "_" }}
{{ $prefix }}_URI_FILE: /bindings/{{ $role }}/uri
{{- if eq ($use.type | default "") "postgres" }}
{{- $variable := printf "%s_MAX_CONNECTIONS" $prefix }}
{{- $replicas := max (int $.Values.scale.min) (int $.Values.scale.max) }}
{{- $connections := min 8 (div 90 (add $replicas 1)) }}
{{- if and (lt $connections 2) (not (hasKey $.Values.env $variable)) }}
{{- fail (printf "scale: %d replicas do not fit into the 100 connections of a PostgreSQL server; where it or a pooler allows more, say in env.%s how many one replica has" $replicas $variable) }}
{{- end }}
{{ $variable }}: {{ $connections | quote }}
{{- end }}
{{- end }}
{{- range $name, $reference := .Values.secrets }}
{{ $name }}_FILE: /secrets/{{ $name }}
{{- end }}
{{- end }}

{{- define "program.references" }}
- name: MEMORY_LIMIT_BYTES
  valueFrom:
    resourceFieldRef:
      resource: limits.memory
{{- end }}

{{/* What can be written, in Mi. */}}
{{- define "program.storage" -}}
{{ trimSuffix "Mi" .Values.compute.temporary }}
{{- end }}

{{- define "program.mounts" -}}
{{- range $role, $use := .Values.uses }}
- name: binding-{{ $role }}
  mountPath: /bindings/{{ $role }}
  readOnly: true
{{- end }}
{{- if .Values.secrets }}
- name: secrets
  mountPath: /secrets
  readOnly: true
{{- end }}
{{- end }}

{{- define "program.volumes" -}}
{{- range $role, $use := .Values.uses }}
- name: binding-{{ $role }}
  secret:
    secretName: {{ $use.secret | default $use.resource | quote }}
    defaultMode: 0440
{{- end }}
{{- if .Values.secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $reference := .Values.secrets }}
      - secret:
          name: {{ $reference.secret | quote }}
          items:
            - key: {{ $reference.key | quote }}
              path: {{ $name | quote }}
      {{- end }}
{{- end }}
{{- end }}
