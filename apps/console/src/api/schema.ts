// Printed from the OpenAPI document by `npm run console-types`: do not edit.
export interface paths {
  '/ready': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getReadyState'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/metrics': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getMetrics'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/audit-events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listAuditEvents'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/audit-events/export': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['exportAuditEvents'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/audit-events/chain': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getAuditChain'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/audit-events/chain/verify': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['verifyAuditChain'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listTenants'];
    put?: never;
    post: operations['createTenant'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getTenant'];
    put: operations['setTenant'];
    post?: never;
    delete: operations['deleteTenant'];
    options?: never;
    head?: never;
    patch: operations['updateTenant'];
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put: operations['setCredential'];
    post?: never;
    delete: operations['deleteCredential'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/credentials': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listCredentials'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}/verify': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['verifyCredential'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}/promote': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['promoteCredential'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}/rollback': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['rollBackCredential'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/credentials': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listAllCredentials'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/credentials/verify': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getVerification'];
    put?: never;
    post: operations['startVerification'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/credentials/verify/pause': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['pauseVerification'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/encryption': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getEncryption'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/encryption/rotation': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['startRotation'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/encryption/rotation/pause': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['pauseRotation'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/providers': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listProviders'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/keys': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listTenantKeys'];
    put?: never;
    post: operations['createTenantKey'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/keys/{key_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getTenantKey'];
    put: operations['updateTenantKey'];
    post?: never;
    delete: operations['revokeTenantKey'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/keys': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listSysadminKeys'];
    put?: never;
    post: operations['createSysadminKey'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/keys/{key_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getSysadminKey'];
    put: operations['updateSysadminKey'];
    post?: never;
    delete: operations['revokeSysadminKey'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/session': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getSession'];
    put?: never;
    post: operations['createSession'];
    delete: operations['deleteSession'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/usage': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getUsage'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/usage/series': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getUsageSeries'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/usage/records': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listUsageRecords'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/usage': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getTenantUsage'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/receipts/verify': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations['verifyReceipt'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/models': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listCatalogueModels'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/tenants/{tenant_id}/models': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['explainModels'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/readiness': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['getReadiness'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/v1/sysadmin/processes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations['listProcesses'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @enum {string} */
    Mode: 'strict' | 'single-tenant';
    /** @enum {string} */
    CatalogueState: 'ok' | 'stale';
    /** @enum {string} */
    ReceiptsState: 'on' | 'off';
    /** @enum {string} */
    AuditChain: 'hmac' | 'hash';
    ReadyResponse: {
      /** @enum {string} */
      status: 'ready' | 'not_ready';
      mode: components['schemas']['Mode'];
      /** @enum {string} */
      database: 'ok' | 'unavailable' | 'failed' | 'not_checked';
      /** @enum {string} */
      encryption_keys?: 'ok' | 'missing';
      /** @enum {string} */
      changes?: 'ok' | 'failing';
      changes_reason?: string;
      models: number;
      catalogue: components['schemas']['CatalogueState'];
      catalogue_reason?: string;
      receipts: components['schemas']['ReceiptsState'];
      audit_chain: components['schemas']['AuditChain'];
      missing_keys?: string[];
      reason?: string;
    };
    /** @enum {string} */
    AuditOutcome: 'done' | 'refused';
    AuditEventResponse: {
      seq: string;
      /** Format: date-time */
      at: string;
      actor: string;
      action: string;
      outcome: components['schemas']['AuditOutcome'];
      /** Format: uuid */
      tenant_id: string | null;
      provider: string | null;
      details: {
        [key: string]: unknown;
      };
      /** Format: uuid */
      request_id: string;
      address: string;
      hash: string;
    };
    AuditEventPageResponse: {
      count: number;
      next_cursor: string | null;
      items: components['schemas']['AuditEventResponse'][];
    };
    AuditEventPlaceResponse: {
      seq: string;
      /** Format: date-time */
      at: string;
    };
    AuditCheckpointResponse: {
      seq: string;
      /** Format: date-time */
      at: string;
      through: string;
    };
    LastAuditVerificationResponse: {
      /** Format: date-time */
      started_at: string;
      /** Format: date-time */
      ended_at: string;
      after: string | null;
      through: string;
      verified: number;
      intact: boolean;
      findings: number;
      complete: boolean;
    };
    AuditChainResponse: {
      events: number;
      expired: number;
      first: components['schemas']['AuditEventPlaceResponse'] | null;
      last: components['schemas']['AuditEventPlaceResponse'] | null;
      head: string | null;
      checkpoint: components['schemas']['AuditCheckpointResponse'] | null;
      retention_days: number | null;
      audit_chain: components['schemas']['AuditChain'];
      last_verification: components['schemas']['LastAuditVerificationResponse'] | null;
    };
    AuditFindingResponse: {
      first: string;
      last: string;
      events: number;
      fault: string;
    };
    VerifiedAuditEventsResponse: {
      verified: number;
      intact: boolean;
      findings: components['schemas']['AuditFindingResponse'][];
      more: number;
      plain: number | null;
      head: string;
      next_after: string | null;
      duration_ms: number;
    };
    /** @enum {string} */
    TenantState: 'active' | 'suspended';
    CreateTenantRequest: {
      /** Format: uuid */
      id?: string | null;
      name: string;
      display_name?: string | null;
      contact_email?: string | null;
      state?: components['schemas']['TenantState'];
      expected_providers?: string[] | null;
      allowed_hosting?: string[] | null;
      allowed_providers?: string[] | null;
      egress_allow?: string[] | null;
    };
    TenantResponse: {
      /** Format: uuid */
      id: string;
      name: string;
      display_name: string | null;
      contact_email: string | null;
      state: components['schemas']['TenantState'];
      expected_providers: string[] | null;
      allowed_hosting: string[] | null;
      allowed_providers: string[] | null;
      egress_allow: string[] | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
    };
    TenantPageResponse: {
      count: number;
      next_cursor: string | null;
      items: components['schemas']['TenantResponse'][];
      total: number;
    };
    SetTenantRequest: {
      name: string;
      display_name?: string | null;
      contact_email?: string | null;
      state?: components['schemas']['TenantState'];
      expected_providers?: string[] | null;
      allowed_hosting?: string[] | null;
      allowed_providers?: string[] | null;
      egress_allow?: string[] | null;
    };
    UpdateTenantRequest: {
      name?: string;
      display_name?: string | null;
      contact_email?: string | null;
      state?: components['schemas']['TenantState'];
      expected_providers?: string[] | null;
      allowed_hosting?: string[] | null;
      allowed_providers?: string[] | null;
      egress_allow?: string[] | null;
    };
    OpenaiCredential: {
      api_key: string;
      endpoint?: string | null;
      organization?: string | null;
      project?: string | null;
      expires_at?: string | null;
    };
    AnthropicCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    MistralCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    OvhcloudCredential: {
      api_key: string;
      endpoint?: string | null;
      expires_at?: string | null;
    };
    BergetCredential: {
      api_key: string;
      endpoint?: string | null;
      expires_at?: string | null;
    };
    AzureCredential: {
      api_key: string;
      endpoint: string;
      api_version: string;
      deployment_name: string;
      deployments?: {
        [key: string]: string;
      } | null;
      expires_at?: string | null;
    };
    VllmCredential: {
      api_key: string;
      endpoint?: string | null;
      expires_at?: string | null;
    };
    GeminiCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    CohereCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    GroqCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    DeepseekCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    OpenrouterCredential: {
      api_key: string;
      endpoint?: string | null;
      expires_at?: string | null;
    };
    TogetherCredential: {
      api_key: string;
      expires_at?: string | null;
    };
    XaiCredential: {
      api_key: string;
      endpoint?: string | null;
      expires_at?: string | null;
    };
    ScalewayCredential: {
      api_key: string;
      endpoint?: string | null;
      expires_at?: string | null;
    };
    OpenaiCompatibleCredential: {
      api_key: string;
      endpoint: string;
      expires_at?: string | null;
    };
    /** @enum {string} */
    VerificationOutcome:
      | 'accepted'
      | 'rejected'
      | 'forbidden'
      | 'quota'
      | 'wrong_host'
      | 'network_rules'
      | 'unreachable'
      | 'unknown';
    VerificationResponse: {
      outcome: components['schemas']['VerificationOutcome'];
      latency_ms: number;
      /** Format: date-time */
      verified_at: string;
    };
    SetCredentialResponse: {
      /** Format: uuid */
      tenant_id: string;
      provider: string;
      masked_key: string;
      message: string;
      /** Format: date-time */
      set_at: string;
      verification?: components['schemas']['VerificationResponse'];
      ignored_fields?: string[];
      /** @enum {boolean} */
      staged?: true;
      version?: string;
    };
    /** @enum {string} */
    EncryptionStatus: 'encrypted' | 'plaintext';
    /** @enum {string} */
    CredentialStatus: 'plaintext' | 'unreadable' | 'tampered' | 'rejected' | 'expired' | 'expiring' | 'ready';
    /** @enum {integer} */
    WarningDays: 30 | 7 | 1 | 0;
    RejectionResponse: {
      /** Format: date-time */
      at: string;
      count: number;
    };
    StoredCredentialResponse: {
      masked_key: string;
      encryption_status: components['schemas']['EncryptionStatus'];
      /** Format: date-time */
      configured_at: string;
      config: {
        [key: string]: unknown;
      };
      status: components['schemas']['CredentialStatus'];
      version: string;
      /** Format: date-time */
      expires_at: string | null;
      expires_within_days: components['schemas']['WarningDays'] | null;
      verification: components['schemas']['VerificationResponse'] | null;
      rejection: components['schemas']['RejectionResponse'] | null;
    };
    PreviousCredentialResponse: {
      masked_key: string;
      encryption_status: components['schemas']['EncryptionStatus'];
      /** Format: date-time */
      configured_at: string;
      config: {
        [key: string]: unknown;
      };
      status: components['schemas']['CredentialStatus'];
      version: string;
      /** Format: date-time */
      expires_at: string | null;
      expires_within_days: components['schemas']['WarningDays'] | null;
      verification: components['schemas']['VerificationResponse'] | null;
      rejection: components['schemas']['RejectionResponse'] | null;
      /** Format: date-time */
      rollback_until: string;
    };
    ListedCredentialResponse: {
      masked_key: string;
      encryption_status: components['schemas']['EncryptionStatus'];
      /** Format: date-time */
      configured_at: string;
      config: {
        [key: string]: unknown;
      };
      status: components['schemas']['CredentialStatus'];
      version: string;
      /** Format: date-time */
      expires_at: string | null;
      expires_within_days: components['schemas']['WarningDays'] | null;
      verification: components['schemas']['VerificationResponse'] | null;
      rejection: components['schemas']['RejectionResponse'] | null;
      provider: string;
      /** @enum {boolean} */
      unknown_provider?: true;
      staged: components['schemas']['StoredCredentialResponse'] | null;
      previous: components['schemas']['PreviousCredentialResponse'] | null;
    };
    WithoutLiveResponse: {
      provider: string;
      /** @enum {boolean} */
      unknown_provider?: true;
      staged: components['schemas']['StoredCredentialResponse'] | null;
      previous: components['schemas']['PreviousCredentialResponse'] | null;
    };
    ListCredentialsResponse: {
      credentials: components['schemas']['ListedCredentialResponse'][];
      without_live?: components['schemas']['WithoutLiveResponse'][];
    };
    /** @enum {string} */
    InactiveSlot: 'staged' | 'previous';
    RemoveCredentialResponse: {
      /** Format: uuid */
      tenant_id: string;
      provider: string;
      message: string;
      deleted: boolean;
    };
    /** @enum {string} */
    Slot: 'live' | 'staged' | 'previous';
    VerifyCredentialResponse: {
      outcome: components['schemas']['VerificationOutcome'];
      latency_ms: number;
      /** Format: date-time */
      verified_at: string;
      /** Format: uuid */
      tenant_id: string;
      provider: string;
      masked_key: string;
      version: string;
      message: string;
    };
    ReplacedCredentialResponse: {
      masked_key: string;
      version: string;
      slot: components['schemas']['InactiveSlot'] | null;
    };
    SwappedCredentialResponse: {
      /** Format: uuid */
      tenant_id: string;
      provider: string;
      masked_key: string;
      version: string;
      verification: components['schemas']['VerificationResponse'] | null;
      replaced: components['schemas']['ReplacedCredentialResponse'] | null;
      /** Format: date-time */
      rollback_until: string | null;
      message: string;
    };
    /** @enum {string} */
    OverviewStatus: 'plaintext' | 'unreadable' | 'rejected' | 'expired' | 'expiring' | 'ready';
    OverviewCredentialResponse: {
      masked_key: string;
      /** Format: date-time */
      configured_at: string;
      version: string;
      /** Format: date-time */
      expires_at: string | null;
      expires_within_days: components['schemas']['WarningDays'] | null;
      verification: components['schemas']['VerificationResponse'] | null;
      rejection: components['schemas']['RejectionResponse'] | null;
      /** Format: uuid */
      tenant_id: string;
      tenant: string;
      provider: string;
      staged: boolean;
      status: components['schemas']['OverviewStatus'];
    };
    CredentialOverviewResponse: {
      count: number;
      next_cursor: string | null;
      items: components['schemas']['OverviewCredentialResponse'][];
    };
    /** @enum {string} */
    ListFormat: 'json' | 'csv';
    /** @enum {string} */
    RotationState: 'running' | 'paused' | 'finished';
    VerificationFilterResponse: {
      status?: components['schemas']['OverviewStatus'];
      provider?: string;
      expires_within_days?: number;
      staged?: boolean;
    };
    NotAcceptedResponse: {
      /** Format: uuid */
      tenant_id: string;
      tenant: string | null;
      provider: string;
      slot: components['schemas']['Slot'];
      masked_key: string;
      outcome: string;
    };
    VerificationRunResponse: {
      state: components['schemas']['RotationState'];
      filter: components['schemas']['VerificationFilterResponse'];
      total: number;
      verified: number;
      not_accepted: number;
      faults: components['schemas']['NotAcceptedResponse'][];
      /** Format: date-time */
      started_at: string;
      /** Format: date-time */
      changed_at: string;
    };
    LatestVerificationResponse: {
      verification: components['schemas']['VerificationRunResponse'] | null;
    };
    SealedRowsResponse: {
      live: number;
      staged: number;
      previous: number;
      signing_keys: number;
    };
    EncryptionKeyResponse: {
      key_id: string;
      seals: boolean;
      retired: boolean;
      loaded: boolean;
      rows: components['schemas']['SealedRowsResponse'];
      processes: number;
    };
    RotationFaultResponse: {
      /** Format: uuid */
      tenant_id: string;
      provider: string;
      slot: components['schemas']['Slot'];
      status: components['schemas']['CredentialStatus'];
    };
    RotationResponse: {
      state: components['schemas']['RotationState'];
      key_id: string;
      total: number;
      resealed: number;
      failed: number;
      faults: components['schemas']['RotationFaultResponse'][];
      /** Format: date-time */
      started_at: string;
      /** Format: date-time */
      changed_at: string;
    };
    EncryptionResponse: {
      keys: components['schemas']['EncryptionKeyResponse'][];
      older_seals: number;
      processes: number;
      rotation: components['schemas']['RotationResponse'] | null;
    };
    /** @enum {string} */
    ProviderKind: 'openai_compatible' | 'vllm' | 'azure';
    /** @enum {string} */
    CredentialFieldType: 'text' | 'map' | 'time';
    ProviderFieldResponse: {
      name: string;
      label: string;
      type: components['schemas']['CredentialFieldType'];
      required: boolean;
      secret: boolean;
      description: string;
      rule: string;
      example:
        | string
        | {
            [key: string]: string;
          };
      min_length?: number;
      max_length?: number;
      pattern?: string;
      max_entries?: number;
    };
    /** @enum {string} */
    Operation:
      | 'chat/completions'
      | 'completions'
      | 'embeddings'
      | 'responses'
      | 'audio/transcriptions'
      | 'audio/translations'
      | 'audio/speech'
      | 'images/generations'
      | 'images/edits'
      | 'moderations'
      | 'rerank'
      | 'messages'
      | 'messages/count_tokens';
    ProviderOperationResponse: {
      operation: components['schemas']['Operation'];
      translated: boolean;
    };
    ProviderResponse: {
      id: string;
      label: string;
      kind: components['schemas']['ProviderKind'] | null;
      default_host: string | null;
      fields: components['schemas']['ProviderFieldResponse'][];
      operations: components['schemas']['ProviderOperationResponse'][];
      verifiable: boolean;
    };
    ProviderListResponse: {
      providers: components['schemas']['ProviderResponse'][];
      rollback_hours: number;
    };
    CreateTenantKeyRequest: {
      name: string;
      /** Format: date-time */
      expires_at?: string | null;
      allowed_models?: string[] | null;
      requests_per_minute?: number | null;
      tokens_per_minute?: number | null;
    };
    /** @enum {string} */
    KeyStatus: 'active' | 'expired';
    CreatedTenantKeyResponse: {
      id: string;
      masked_key: string;
      /** Format: date-time */
      expires_at: string | null;
      status: components['schemas']['KeyStatus'];
      /** Format: date-time */
      last_used_at: string | null;
      /** Format: date-time */
      created_at: string;
      name: string;
      prefix: string;
      /** Format: uuid */
      tenant_id: string;
      allowed_models: string[] | null;
      requests_per_minute: number | null;
      tokens_per_minute: number | null;
      key: string;
      warnings?: string[];
    };
    TenantKeyResponse: {
      id: string;
      masked_key: string;
      /** Format: date-time */
      expires_at: string | null;
      status: components['schemas']['KeyStatus'];
      /** Format: date-time */
      last_used_at: string | null;
      /** Format: date-time */
      created_at: string;
      name: string;
      prefix: string;
      /** Format: uuid */
      tenant_id: string;
      allowed_models: string[] | null;
      requests_per_minute: number | null;
      tokens_per_minute: number | null;
    };
    TenantKeyListResponse: {
      items: components['schemas']['TenantKeyResponse'][];
      count: number;
    };
    RemovedTenantKeyResponse: {
      id: string;
      message: string;
      deleted: boolean;
      /** Format: uuid */
      tenant_id: string;
    };
    /** @enum {string} */
    Scope:
      | 'tenants:read'
      | 'tenants:write'
      | 'credentials:read'
      | 'credentials:write'
      | 'keys:write'
      | 'usage:read'
      | 'audit:read'
      | 'readiness:read'
      | 'encryption:rotate';
    CreateSysadminKeyRequest: {
      name: string;
      scopes: components['schemas']['Scope'][];
      tenant_ids?: string[] | null;
      /** Format: date-time */
      expires_at?: string | null;
    };
    CreatedSysadminKeyResponse: {
      id: string;
      masked_key: string;
      /** Format: date-time */
      expires_at: string | null;
      status: components['schemas']['KeyStatus'];
      /** Format: date-time */
      last_used_at: string | null;
      /** Format: date-time */
      created_at: string;
      name: string;
      prefix: string;
      scopes: components['schemas']['Scope'][];
      tenant_ids: string[] | null;
      key: string;
    };
    SysadminKeyResponse: {
      id: string;
      masked_key: string;
      /** Format: date-time */
      expires_at: string | null;
      status: components['schemas']['KeyStatus'];
      /** Format: date-time */
      last_used_at: string | null;
      /** Format: date-time */
      created_at: string;
      name: string;
      prefix: string;
      scopes: components['schemas']['Scope'][];
      tenant_ids: string[] | null;
    };
    SysadminKeyListResponse: {
      items: components['schemas']['SysadminKeyResponse'][];
      count: number;
    };
    RemovedKeyResponse: {
      id: string;
      message: string;
      deleted: boolean;
    };
    SessionResponse: {
      actor: string;
      super: boolean;
      scopes: components['schemas']['Scope'][];
      tenant_ids: string[] | null;
      /** Format: date-time */
      expires_at: string | null;
      idle_minutes: number;
    };
    /** @enum {string} */
    CredentialSource: 'tenant' | 'global';
    UsageSumsResponse: {
      /** Format: uuid */
      tenant_id?: string;
      key_id?: string | null;
      provider?: string;
      model?: string;
      operation?: string;
      source?: components['schemas']['CredentialSource'];
      mask?: string;
      version?: string | null;
      /** Format: date */
      day?: string;
      tenant_name?: string | null;
      calls: number;
      failed: number;
      unfinished: number;
      unmetered: number;
      input_tokens: number;
      output_tokens: number;
      cached_tokens: number;
      cache_write_tokens: number;
      search_units: number;
      request_bytes: number;
      response_bytes: number;
    };
    UsageReportResponse: {
      /** Format: date */
      since: string;
      /** Format: date */
      until: string;
      items: components['schemas']['UsageSumsResponse'][];
      count: number;
      total: components['schemas']['UsageSumsResponse'];
      lost_calls: number;
      next_cursor: string | null;
    };
    /** @enum {string} */
    SeriesInterval: 'hour' | 'day';
    /** @enum {string} */
    SeriesGroup: 'provider' | 'tenant' | 'model' | 'none';
    UsageSeriesResponse: {
      /** Format: uuid */
      tenant_id?: string | null;
      tenant_name?: string | null;
      provider?: string | null;
      model?: string | null;
      is_rest: boolean;
      calls: number[];
      failed: number[];
      unfinished: number[];
      input_tokens: number[];
      output_tokens: number[];
      mean_ms: (number | null)[];
      p50_ms: (number | null)[];
      p95_ms: (number | null)[];
    };
    UsageSeriesReportResponse: {
      /** Format: date-time */
      since: string;
      /** Format: date-time */
      until: string;
      interval: components['schemas']['SeriesInterval'];
      times: string[];
      series: components['schemas']['UsageSeriesResponse'][];
      rest_count: number;
      lost_calls: number;
    };
    /** @enum {string} */
    AdapterName: 'litellm' | 'legacy';
    /** @enum {string} */
    UsageOutcome: 'completed' | 'failed' | 'broken_off' | 'client_left';
    UsageRecordResponse: {
      /** Format: uuid */
      tenant_id: string;
      key_id: string | null;
      provider: string;
      model: string;
      operation: string;
      source: components['schemas']['CredentialSource'];
      mask: string;
      version: string | null;
      tenant_name: string | null;
      /** Format: uuid */
      request_id: string;
      client_request_id: string | null;
      /** Format: date-time */
      at: string;
      adapter: components['schemas']['AdapterName'];
      host: string;
      target: string;
      outcome: components['schemas']['UsageOutcome'];
      status: number;
      code: string | null;
      upstream_status: number | null;
      attempts: number;
      input_tokens: number | null;
      output_tokens: number | null;
      cached_tokens: number | null;
      cache_write_tokens: number | null;
      search_units: number | null;
      is_estimated: boolean;
      first_byte_ms: number | null;
      total_ms: number;
      request_bytes: number;
      response_bytes: number;
    };
    UsageRecordPageResponse: {
      count: number;
      next_cursor: string | null;
      items: components['schemas']['UsageRecordResponse'][];
    };
    VerifyReceiptRequest: {
      receipt: string;
    };
    VerifyReceiptResponse: {
      valid: boolean;
      reason?: string;
      said?: {
        [key: string]: unknown;
      };
      record?: components['schemas']['UsageRecordResponse'] | null;
      record_agrees?: boolean | null;
    };
    /** @enum {string} */
    FindingSeverity: 'fault' | 'warning';
    CatalogueFindingResponse: {
      severity: components['schemas']['FindingSeverity'];
      line: number | null;
      reason: string;
    };
    /** @enum {string} */
    ModelKind: 'completion' | 'embedding' | 'transcription' | 'speech' | 'image' | 'moderation' | 'rerank';
    CatalogueModelResponse: {
      name: string;
      nickname: string | null;
      kind: components['schemas']['ModelKind'];
      adapter: components['schemas']['AdapterName'];
      provider: string | null;
      upstream_model: string | null;
      litellm_model_name: string | null;
      family: string | null;
      deployment_name: string | null;
      host: string | null;
      endpoints: string[];
      hosting: string | null;
      org: string | null;
      description: string | null;
      stability: string | null;
      is_deprecated: boolean | null;
      vision: boolean | null;
      reasoning: boolean | null;
      open_source: boolean | null;
      token_limit: number | null;
      max_input: number | null;
      dimensions: number | null;
    };
    CatalogueResponse: {
      state: components['schemas']['CatalogueState'];
      reason: string | null;
      file: string;
      /** Format: date-time */
      in_force_since: string;
      faults: number;
      warnings: number;
      findings: components['schemas']['CatalogueFindingResponse'][];
      models: components['schemas']['CatalogueModelResponse'][];
    };
    /** @enum {string} */
    TargetSource: 'deployments' | 'catalogue' | 'deployment_name';
    ExplainedCredentialResponse: {
      source: components['schemas']['CredentialSource'];
      masked_key: string;
      version: string | null;
      status: components['schemas']['CredentialStatus'] | null;
      /** Format: date-time */
      expires_at: string | null;
    };
    ExplainedStagedResponse: {
      masked_key: string;
      version: string;
      status: components['schemas']['CredentialStatus'];
    };
    /** @enum {string} */
    ProblemCode:
      | 'unauthenticated'
      | 'forbidden'
      | 'rate_limited'
      | 'throttled'
      | 'too_many_calls'
      | 'malformed_request'
      | 'route_not_found'
      | 'method_not_allowed'
      | 'payload_too_large'
      | 'unsupported_media_type'
      | 'validation_failed'
      | 'credential_validation_failed'
      | 'endpoint_not_allowed'
      | 'tenant_not_found'
      | 'tenant_conflict'
      | 'credential_not_staged'
      | 'credential_conflict'
      | 'verification_conflict'
      | 'rotation_conflict'
      | 'key_not_found'
      | 'model_not_found'
      | 'object_not_found'
      | 'endpoint_not_supported'
      | 'parameter_not_supported'
      | 'feature_disabled'
      | 'tenant_suspended'
      | 'model_not_allowed'
      | 'credential_not_configured'
      | 'endpoint_not_configured'
      | 'credential_unreadable'
      | 'credential_tampered'
      | 'credential_plaintext'
      | 'credential_rejected'
      | 'upstream_network_rules'
      | 'legacy_model_in_strict_mode'
      | 'upstream_rejected_request'
      | 'upstream_rate_limited'
      | 'upstream_quota_exhausted'
      | 'upstream_overloaded'
      | 'upstream_unavailable'
      | 'upstream_timeout'
      | 'circuit_open'
      | 'overloaded'
      | 'encryption_key_mismatch'
      | 'credential_store_unavailable'
      | 'internal_error';
    ExpectedProblemResponse: {
      code: components['schemas']['ProblemCode'];
      detail: string;
      hint?: string;
    };
    ExplainedModelResponse: {
      name: string;
      kind: components['schemas']['ModelKind'];
      adapter: components['schemas']['AdapterName'];
      provider: string | null;
      upstream_model: string | null;
      target: string | null;
      target_from: components['schemas']['TargetSource'] | null;
      host: string | null;
      endpoints: string[];
      credential: components['schemas']['ExplainedCredentialResponse'] | null;
      staged: components['schemas']['ExplainedStagedResponse'] | null;
      /** Format: date-time */
      rollback_until: string | null;
      ready: boolean;
      problem: components['schemas']['ExpectedProblemResponse'] | null;
      warnings: string[];
    };
    ExplainedModelsResponse: {
      /** Format: uuid */
      tenant_id: string;
      tenant_state: components['schemas']['TenantState'];
      mode: components['schemas']['Mode'];
      models: components['schemas']['ExplainedModelResponse'][];
    };
    /** @enum {string} */
    ReadinessPart: 'failing' | 'warning';
    ProviderInUseResponse: {
      provider: string;
      models: string[];
    };
    ReadinessCellResponse: {
      provider: string;
      ready: boolean;
      credential: components['schemas']['ExplainedCredentialResponse'] | null;
      failing_models: string[];
      breaking_models: string[];
      problem: components['schemas']['ExpectedProblemResponse'] | null;
      warnings: string[];
    };
    TenantReadinessResponse: {
      /** Format: uuid */
      tenant_id: string;
      name: string;
      state: components['schemas']['TenantState'];
      providers: components['schemas']['ReadinessCellResponse'][];
    };
    ExpiryWarningResponse: {
      /** Format: uuid */
      tenant_id: string;
      name: string;
      contact_email: string | null;
      provider: string;
      masked_key: string;
      version: string;
      /** Format: date-time */
      expires_at: string;
      within_days: components['schemas']['WarningDays'];
    };
    ReadinessPageResponse: {
      current_mode: components['schemas']['Mode'];
      mode: components['schemas']['Mode'];
      receipts: components['schemas']['ReceiptsState'];
      audit_chain: components['schemas']['AuditChain'];
      blockers: string[];
      providers: components['schemas']['ProviderInUseResponse'][];
      items: components['schemas']['TenantReadinessResponse'][];
      warnings: components['schemas']['ExpiryWarningResponse'][];
      breaking: number;
      count: number;
      total: number;
      next_cursor: string | null;
    };
    ProcessResponse: {
      /** Format: uuid */
      id: string;
      is_this: boolean;
      /** Format: date-time */
      registered_at: string;
      /** Format: date-time */
      renewed_at: string | null;
      lease_seconds: number;
      renewals: number;
      changes_behind: number | null;
      is_silent: boolean | null;
      encryption_key_ids: string[];
      has_sealing_key: boolean | null;
      seal_form: number;
    };
    ProcessListResponse: {
      items: components['schemas']['ProcessResponse'][];
      count: number;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  getReadyState: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ReadyResponse'];
        };
      };
    };
  };
  getMetrics: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'text/plain': string;
        };
      };
    };
  };
  listAuditEvents: {
    parameters: {
      query?: {
        limit?: number;
        since?: string;
        until?: string;
        tenant_id?: string;
        action?: string;
        outcome?: components['schemas']['AuditOutcome'];
        actor?: string;
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuditEventPageResponse'];
        };
      };
    };
  };
  exportAuditEvents: {
    parameters: {
      query?: {
        limit?: number;
        since?: string;
        until?: string;
        tenant_id?: string;
        action?: string;
        outcome?: components['schemas']['AuditOutcome'];
        actor?: string;
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/x-ndjson': string;
        };
      };
    };
  };
  getAuditChain: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['AuditChainResponse'];
        };
      };
    };
  };
  verifyAuditChain: {
    parameters: {
      query?: {
        after?: string;
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VerifiedAuditEventsResponse'];
        };
      };
    };
  };
  listTenants: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
        search?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantPageResponse'];
        };
      };
    };
  };
  createTenant: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateTenantRequest'];
      };
    };
    responses: {
      201: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantResponse'];
        };
      };
    };
  };
  getTenant: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantResponse'];
        };
      };
    };
  };
  setTenant: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['SetTenantRequest'];
      };
    };
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantResponse'];
        };
      };
    };
  };
  deleteTenant: {
    parameters: {
      query?: {
        erase?: 'true' | 'false';
      };
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      204: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  updateTenant: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['UpdateTenantRequest'];
      };
    };
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantResponse'];
        };
      };
    };
  };
  setCredential: {
    parameters: {
      query?: {
        stage?: boolean;
        verify?: boolean;
      };
      header?: never;
      path: {
        tenant_id: string;
        provider: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json':
          | components['schemas']['OpenaiCredential']
          | components['schemas']['AnthropicCredential']
          | components['schemas']['MistralCredential']
          | components['schemas']['OvhcloudCredential']
          | components['schemas']['BergetCredential']
          | components['schemas']['AzureCredential']
          | components['schemas']['VllmCredential']
          | components['schemas']['GeminiCredential']
          | components['schemas']['CohereCredential']
          | components['schemas']['GroqCredential']
          | components['schemas']['DeepseekCredential']
          | components['schemas']['OpenrouterCredential']
          | components['schemas']['TogetherCredential']
          | components['schemas']['XaiCredential']
          | components['schemas']['ScalewayCredential']
          | components['schemas']['OpenaiCompatibleCredential'];
      };
    };
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SetCredentialResponse'];
        };
      };
    };
  };
  deleteCredential: {
    parameters: {
      query?: {
        slot?: components['schemas']['InactiveSlot'];
      };
      header?: never;
      path: {
        tenant_id: string;
        provider: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RemoveCredentialResponse'];
        };
      };
    };
  };
  listCredentials: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ListCredentialsResponse'];
        };
      };
    };
  };
  verifyCredential: {
    parameters: {
      query?: {
        slot?: components['schemas']['Slot'];
      };
      header?: never;
      path: {
        tenant_id: string;
        provider: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VerifyCredentialResponse'];
        };
      };
    };
  };
  promoteCredential: {
    parameters: {
      query?: {
        version?: string;
      };
      header?: never;
      path: {
        tenant_id: string;
        provider: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SwappedCredentialResponse'];
        };
      };
    };
  };
  rollBackCredential: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
        provider: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SwappedCredentialResponse'];
        };
      };
    };
  };
  listAllCredentials: {
    parameters: {
      query?: {
        status?: components['schemas']['OverviewStatus'];
        provider?: string;
        expires_within_days?: number;
        staged?: boolean;
        limit?: number;
        cursor?: string;
        format?: components['schemas']['ListFormat'];
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['CredentialOverviewResponse'];
          'text/csv': string;
        };
      };
    };
  };
  getVerification: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['LatestVerificationResponse'];
        };
      };
    };
  };
  startVerification: {
    parameters: {
      query?: {
        status?: components['schemas']['OverviewStatus'];
        provider?: string;
        expires_within_days?: number;
        staged?: boolean;
        resume?: boolean;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VerificationRunResponse'];
        };
      };
    };
  };
  pauseVerification: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VerificationRunResponse'];
        };
      };
    };
  };
  getEncryption: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['EncryptionResponse'];
        };
      };
    };
  };
  startRotation: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RotationResponse'];
        };
      };
    };
  };
  pauseRotation: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RotationResponse'];
        };
      };
    };
  };
  listProviders: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ProviderListResponse'];
        };
      };
    };
  };
  listTenantKeys: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantKeyListResponse'];
        };
      };
    };
  };
  createTenantKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateTenantKeyRequest'];
      };
    };
    responses: {
      201: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['CreatedTenantKeyResponse'];
        };
      };
    };
  };
  getTenantKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
        key_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantKeyResponse'];
        };
      };
    };
  };
  updateTenantKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
        key_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateTenantKeyRequest'];
      };
    };
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TenantKeyResponse'];
        };
      };
    };
  };
  revokeTenantKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
        key_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          'x-tenkey-in-force'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RemovedTenantKeyResponse'];
        };
      };
    };
  };
  listSysadminKeys: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SysadminKeyListResponse'];
        };
      };
    };
  };
  createSysadminKey: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateSysadminKeyRequest'];
      };
    };
    responses: {
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['CreatedSysadminKeyResponse'];
        };
      };
    };
  };
  getSysadminKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        key_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SysadminKeyResponse'];
        };
      };
    };
  };
  updateSysadminKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        key_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['CreateSysadminKeyRequest'];
      };
    };
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SysadminKeyResponse'];
        };
      };
    };
  };
  revokeSysadminKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        key_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['RemovedKeyResponse'];
        };
      };
    };
  };
  getSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SessionResponse'];
        };
      };
    };
  };
  createSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['SessionResponse'];
        };
      };
    };
  };
  deleteSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  getUsage: {
    parameters: {
      query?: {
        since?: string;
        until?: string;
        provider?: string;
        model?: string;
        format?: components['schemas']['ListFormat'];
        limit?: number;
        cursor?: string;
        group_by?: string;
        tenant_id?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          'x-tenkey-lost-calls'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['UsageReportResponse'];
          'text/csv': string;
        };
      };
    };
  };
  getUsageSeries: {
    parameters: {
      query?: {
        since?: string;
        until?: string;
        interval?: components['schemas']['SeriesInterval'];
        by?: components['schemas']['SeriesGroup'];
        tenant_id?: string;
        provider?: string;
        model?: string;
        top?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['UsageSeriesReportResponse'];
        };
      };
    };
  };
  listUsageRecords: {
    parameters: {
      query?: {
        limit?: number;
        since?: string;
        until?: string;
        tenant_id?: string;
        key_id?: string;
        request_id?: string;
        format?: 'json';
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['UsageRecordPageResponse'];
        };
      };
    };
  };
  getTenantUsage: {
    parameters: {
      query?: {
        since?: string;
        until?: string;
        provider?: string;
        model?: string;
        format?: components['schemas']['ListFormat'];
        limit?: number;
        cursor?: string;
        group_by?: string;
      };
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          'x-tenkey-lost-calls'?: string;
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['UsageReportResponse'];
          'text/csv': string;
        };
      };
    };
  };
  verifyReceipt: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/json': components['schemas']['VerifyReceiptRequest'];
      };
    };
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['VerifyReceiptResponse'];
        };
      };
    };
  };
  listCatalogueModels: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['CatalogueResponse'];
        };
      };
    };
  };
  explainModels: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        tenant_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ExplainedModelsResponse'];
        };
      };
    };
  };
  getReadiness: {
    parameters: {
      query?: {
        mode?: 'strict';
        only?: components['schemas']['ReadinessPart'];
        provider?: string;
        tenant?: string;
        limit?: number;
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ReadinessPageResponse'];
        };
      };
    };
  };
  listProcesses: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ProcessListResponse'];
        };
      };
    };
  };
}
