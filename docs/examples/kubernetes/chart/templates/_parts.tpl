{{- define "erp.selector" -}}
app.kubernetes.io/name: erp
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "erp.database" -}}
{{ .Values.database | default .Release.Name }}
{{- end }}

{{- define "erp.image" -}}
{{ get .Values.images .Values.series | required (printf "there is no image of the series %q" .Values.series) }}
{{- end }}

{{- define "erp.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.runAsUser }}
  runAsGroup: {{ .Values.runAsUser }}
  fsGroup: {{ .Values.runAsUser }}
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "erp.container" -}}
terminationMessagePolicy: FallbackToLogsOnError
envFrom:
  - secretRef:
      name: {{ .Values.environment }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
{{- end }}
