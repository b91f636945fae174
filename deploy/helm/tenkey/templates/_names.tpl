{{- define "tenkey.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "tenkey.selector" -}}
app.kubernetes.io/name: tenkey
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tenkey.labels" -}}
{{ include "tenkey.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
