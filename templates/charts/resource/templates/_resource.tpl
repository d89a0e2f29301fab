{{- define "resource.labels" -}}
{{ include "resource.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: {{ .Values.workspace }}
app.kubernetes.io/version: {{ .Values.image.tag | trunc 63 | trimAll "._-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Services' network policies name resources by this. */}}
{{- define "resource.selector" -}}
app.kubernetes.io/name: {{ .Release.Name }}
app.kubernetes.io/component: resource
{{- end }}
