{{/* What the objects of the chart have in common. */}}

{{- define "service.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* Labels of every object: call with the root and the component. */}}
{{- define "service.labels" -}}
{{ include "service.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/part-of: {{ .root.Values.workspace }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | trimAll "._-" | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* Labels that never change, to select pods by. Jobs and tests are components of their own,
so that no Service and no disruption budget counts them. A pod carries calls/NAME for each
service that it calls: that one's NetworkPolicy lets such pods in. */}}
{{- define "service.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "service.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ include "program.user" . }}
runAsGroup: {{ include "program.group" . }}
fsGroup: {{ include "program.group" . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "service.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ include "program.user" . }}
runAsGroup: {{ include "program.group" . }}
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The limit of the ephemeral storage holds all that can be written, and 128Mi of logs. */}}
{{- define "service.resources" -}}
requests:
  cpu: {{ .Values.compute.cpu | quote }}
  memory: {{ .Values.compute.memory | quote }}
  ephemeral-storage: {{ .Values.compute.temporary }}
limits:
  {{- with .Values.compute.cpuLimit }}
  cpu: {{ . | quote }}
  {{- end }}
  memory: {{ .Values.compute.memory | quote }}
  ephemeral-storage: {{ add (include "program.storage" .) 128 }}Mi
{{- end }}

{{/* The environment of every container of the service: what the manifest says wins over what is
derived from it, except what it may not set. */}}
{{- define "service.environment" -}}
{{- $derived := include "program.variables" . | fromYaml }}
{{- $_ := set $derived "OTEL_SERVICE_NAME" .Chart.Name }}
{{- with .Values.telemetry.endpoint }}
{{- $_ := set $derived "OTEL_EXPORTER_OTLP_ENDPOINT" . }}
{{- end }}
{{- range $name, $peer := .Values.needs }}
{{- $address := printf "%s://%s:%d" ($peer.scheme | default "http") $name (int $peer.port) }}
{{- $_ := set $derived (printf "%s_URL" ($name | upper | replace "-" "_")) ($peer.url | default $address) }}
{{- end }}
{{- range $name, $value := .Values.env }}
{{- $_ := set $derived $name $value }}
{{- end }}
{{- include "program.references" . }}
{{- range $name, $value := $derived }}
- name: {{ $name | quote }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Where a pod prefers to be: not beside another of its kind. */}}
{{- define "service.spread" -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "service.selector" . | nindent 14 }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "service.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* Egress that every pod may need: names, resources, what the environment declares. */}}
{{- define "service.egress" -}}
- to:
    - namespaceSelector: {}
      podSelector:
        matchLabels:
          k8s-app: kube-dns
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- range $role, $use := .Values.uses }}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: {{ $use.resource }}
{{- end }}
{{- with .Values.telemetry.endpoint }}
{{- $address := urlParse . }}
{{- $usual := eq $address.scheme "https" | ternary 443 80 }}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ $.Values.networkPolicy.monitoringNamespace | quote }}
  ports:
    - {protocol: TCP, port: {{ regexFind "[0-9]+$" (regexFind ":[0-9]+$" $address.host) | default $usual }}}
{{- end }}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
