/**
 * Routing: from the model that a request names to the provider's response.
 *
 * Guarantees: each call has one frozen Route; in strict mode a model of the LiteLLM adapter is called with the tenant's own
 * credential or not at all; a response that needs no translation passes unchanged, except that usage which the client did
 * not request is hidden from a stream; explain and readiness ask the same adapters as calls do; a request can name only
 * stored objects that a call of the same tenant has made, unless FOREIGN_OBJECTS allows those that no call has made.
 * Does not: retry, cache keys or responses, or open sockets (egress does).
 *
 * catalogue/ reads ai_models.yml in these steps: catalogue-text (file to text), catalogue-document (text to YAML, with
 * lines), declarations (YAML to declared providers), catalogue-entries (YAML to models, by catalogue-fields), routing-warnings and
 * shared-deployments (models that cannot be called, or that reach something unexpected). Each step reports catalogue-findings, and
 * catalogue-check runs all steps.
 */
export {
  type CatalogueCheck,
  checkCatalogue,
  checkCatalogueText,
  warningsOf,
} from './catalogue/catalogue-check';
export { type CatalogueDocument, parseCatalogue, type Path } from './catalogue/catalogue-document';
export { isRecord } from './catalogue/catalogue-fields';
export {
  CatalogueError,
  describeFinding,
  type Finding,
  listOf,
  printable,
} from './catalogue/catalogue-finding';
export { readText, shippedModelsFile } from './catalogue/catalogue-text';
export { type Model, type ModelKind, modelKinds, providerOfModel } from './catalogue/model';
export { ModelCatalogue } from './catalogue/model-catalogue';
export { CatalogueWatch, staleReason } from './catalogue/catalogue-watch';
export { CallQueueService } from './call/call-queue.service';
export { ModelRoutingModule } from './model-routing.module';
export { type Decision } from './call/dispatch.service';
export { storedObjectRemoval } from './stored-objects/stored-objects-retention.service';
export { StoredObject } from './stored-objects/stored-object.entity';
export { type CallOptions, ModelRoutingService, type RoutedResponse } from './model-routing.service';
export { type CatalogueResponse } from './readiness/catalogue.dto';
export { type ReadinessPageResponse } from './readiness/readiness.dto';
export { type ProcessListResponse } from './readiness/processes.dto';
