/**
 * From a model's name to the provider's answer.
 *
 * Guarantees: one frozen Route per request; in strict mode a LiteLLM-adapter model is called with the tenant's own
 * credential or not at all; the provider's bytes are passed on unchanged, but for the usage of a stream that the client did
 * not ask for; what explain and readiness say is what the adapters of calls decide. Does not: retry, cache keys or answers,
 * or open sockets (egress does).
 */
export { type CatalogueCheck, checkCatalogue, warningsOf } from './catalogue/catalogue-check';
export { CatalogueError, describeFinding, type Finding } from './catalogue/catalogue-finding';
export { shippedModelsFile } from './catalogue/catalogue-text';
export { type Model, providerOfModel } from './catalogue/model';
export { ModelCatalogue } from './catalogue/model-catalogue';
export { CatalogueWatch, staleReason } from './catalogue/catalogue-watch';
export { ModelRoutingModule } from './model-routing.module';
export {
  type CallOptions,
  type Decision,
  ModelRoutingService,
  type RoutedAnswer,
} from './model-routing.service';
export { ReadinessPageResponse } from './readiness/readiness.dto';
export { type ReadinessPage, ReadinessService } from './readiness/readiness.service';
