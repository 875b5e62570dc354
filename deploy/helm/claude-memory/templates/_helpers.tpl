{{- define "memory.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "memory.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "memory.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "memory.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Which pods: (dict "root" $ "component" "server") */ -}}
{{- define "memory.selector" -}}
app.kubernetes.io/name: {{ include "memory.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "memory.labels" -}}
{{ include "memory.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: claude-memory
{{- if not .root.Values.plainManifests }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}
{{- end -}}

{{- define "memory.podLabels" -}}
{{ include "memory.labels" . }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "memory.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $image.repository $image.digest | quote }}
{{- else -}}
{{ printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) | quote }}
{{- end -}}
{{- end -}}

{{- define "memory.secretName" -}}
{{- default (include "memory.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{- /* The Secret's keys and the variables that they become. */ -}}
{{- define "memory.secretKeys" -}}
database-url: DATABASE_URL
migration-url: MEMORY_MIGRATION_URL
api-key: API_KEY
api-keys: API_KEYS
encryption-key: MEMORY_ENCRYPTION_KEY
encryption-key-previous: MEMORY_ENCRYPTION_KEY_PREVIOUS
vault-token: VAULT_TOKEN
vault-secret-id: VAULT_SECRET_ID
{{- end -}}

{{- /* The data of a Secret made of plain values: (dict "root" $ "keys" (list ...)) */ -}}
{{- define "memory.secretData" -}}
{{- $names := include "memory.secretKeys" .root | fromYaml -}}
{{- range $key := .keys }}
{{- with get $.root.Values.env (get $names $key) }}
{{ $key }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "memory.checked" -}}
{{- if not (or .Values.existingSecret .Values.env.DATABASE_URL .Values.envFile) -}}
{{- fail "\nSet existingSecret (a Secret with the key database-url), or for a try env.DATABASE_URL." -}}
{{- end -}}
{{- if and .Values.existingSecret (compact (values .Values.env)) -}}
{{- fail "\nSet either existingSecret or values below env, not both." -}}
{{- end -}}
{{- if and .Values.envFile (not .Values.env.DATABASE_URL) (compact (values .Values.env)) -}}
{{- fail "\nValues below env are not used without env.DATABASE_URL: put them into envFile, or into existingSecret." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "\nhttpRoute.enabled needs httpRoute.parentRefs: the Gateway that it hangs on." -}}
{{- end -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (add (int .Values.preStopSeconds) 21) -}}
{{- fail "\nterminationGracePeriodSeconds must be more than preStopSeconds and 20 for running requests." -}}
{{- end -}}
{{- $fewest := ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled -}}
{{- if and .Values.disruptionBudget.enabled (ge (int .Values.disruptionBudget.minAvailable) (int $fewest)) -}}
{{- fail "\ndisruptionBudget.minAvailable must be less than there are pods: a drain of a node would never end." -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- fail "\nautoscaling.minReplicas is more than autoscaling.maxReplicas." -}}
{{- end -}}
{{- if eq (int .Values.metrics.port) 8000 -}}
{{- fail "\nmetrics.port cannot be 8000: requests are served there." -}}
{{- end -}}
{{- end -}}

{{- define "memory.publicUrl" -}}
{{- if .Values.settings.publicUrl -}}
{{- .Values.settings.publicUrl -}}
{{- else if .Values.ingress.host -}}
{{- printf "http%s://%s" (ternary "s" "" .Values.ingress.tls.enabled) .Values.ingress.host -}}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
{{- printf "https://%s" (first .Values.httpRoute.hostnames) -}}
{{- end -}}
{{- end -}}

{{- /* Variables from a Secret: (dict "root" $ "secret" name "keys" (list ...)) */ -}}
{{- define "memory.secretEnv" -}}
{{- $names := include "memory.secretKeys" .root | fromYaml -}}
{{- range .keys }}
- name: {{ get $names . }}
  valueFrom:
    secretKeyRef:
      name: {{ $.secret }}
      key: {{ . }}
      optional: {{ or (ne . "database-url") (not (empty $.root.Values.envFile)) }}
{{- end }}
{{- end -}}

{{- /* Which keeper of secrets: the same for the server and for jobs. */ -}}
{{- define "memory.keeperEnv" -}}
{{- with .Values.vault }}
{{- if .address }}
- name: VAULT_ADDR
  value: {{ .address | quote }}
{{- with .role }}
- name: VAULT_ROLE
  value: {{ . | quote }}
{{- end }}
- name: VAULT_MOUNT
  value: {{ .mount | quote }}
- name: VAULT_PREFIX
  value: {{ .prefix | quote }}
{{- end }}
{{- end }}
{{- with .Values.kms.keyId }}
- name: MEMORY_KMS_KEY_ID
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* A command, after reading envFile where there is one: (dict "root" $ "args" (list ...)) */ -}}
{{- define "memory.command" -}}
command:
{{- with .root.Values.envFile }}
  - /bin/sh
  - -ec
  - . "$0" && exec "$@"
  - {{ . | quote }}
{{- end }}
{{- range .args }}
  - {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* The same as one types it at a shell: (dict "root" $ "command" "...") */ -}}
{{- define "memory.typed" -}}
{{- if .root.Values.envFile -}}
sh -c '. {{ .root.Values.envFile }} && exec {{ .command }}'
{{- else -}}
{{ .command }}
{{- end -}}
{{- end -}}

{{- define "memory.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "memory.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "memory.hasVaultToken" -}}
{{- if or .Values.serviceAccount.vaultToken (and .Values.vault.address .Values.vault.role) }}true{{ end -}}
{{- end -}}

{{- define "memory.volumeMounts" -}}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- if include "memory.hasVaultToken" . }}
  - name: vault-token
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end -}}

{{- define "memory.volumes" -}}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 128Mi
{{- if include "memory.hasVaultToken" . }}
  - name: vault-token
    projected:
      sources:
        - serviceAccountToken:
            path: token
            audience: {{ .Values.vault.audience | quote }}
            expirationSeconds: 3600
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end -}}

{{- define "memory.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
{{ toYaml . | indent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
{{ toYaml . | indent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- /* Egress that every pod of ours needs. */ -}}
{{- define "memory.egress" -}}
- ports: # names
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
- ports:
{{- range .Values.networkPolicy.databasePorts }}
    - {protocol: TCP, port: {{ . }}}
{{- end }}
{{- if .Values.vault.address }}
    - {protocol: TCP, port: {{ .Values.networkPolicy.vaultPort }}}
{{- end }}
{{- if .Values.kms.keyId }}
    - {protocol: TCP, port: 443}
{{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
