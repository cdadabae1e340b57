{{- define "workers.selector" -}}
app.kubernetes.io/name: ringgate
app.kubernetes.io/component: worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "workers.labels" -}}
{{ include "workers.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
ringgate/region: {{ .Values.region }}
{{- end }}

{{- define "workers.name" -}}
{{ printf "ringgate-%s" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "workers.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}
