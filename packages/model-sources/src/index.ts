export { safePath } from "./safe-path.ts";
export { modelFolders, type ModelsFolder } from "./folders/models-folder.ts";
export { chooseFolder, freeBytes } from "./folders/choose-folder.ts";
export { folderOf, placeInFolder } from "./folders/place-in-folder.ts";
export {
  parseReference,
  type FileReference,
  type ModelReference,
  type RepositoryReference,
} from "./reference/model-reference.ts";
export { chooseFiles, type AskWhich, type Candidate, type ChosenFile } from "./reference/choose-files.ts";
export { hubOptions } from "./hub/hub-options.ts";
export { Hub, type FoundRepository, type HubOptions } from "./hub/hub.ts";
export { HttpClient, type HttpRequest, type HttpResponse } from "./hub/http-client.ts";
export type { RemoteFile, RemoteModel } from "./hub/remote-model.ts";
export { JOURNAL_SUFFIX, PARTIAL_SUFFIX, discardPartial } from "./download/partial-file.ts";
export {
  downloadFile,
  type Download,
  type DownloadProgress,
  type DownloadedFile,
} from "./download/download-file.ts";
export { RateLimit } from "./download/rate-limit.ts";
export type { RepairOutcome, RepairTools } from "./verify/repair-file.ts";
export type { FileState, FileVerdict } from "./verify/verify-file.ts";
export {
  verifyModels,
  type ModelVerdict,
  type VerifiedFile,
  type VerifyOptions,
  type VerifyProgress,
} from "./verify/verify-models.ts";
export {
  importModels,
  type ImportedModel,
  type ImportOptions,
  type ImportResult,
  type RefusedModel,
} from "./import/import-models.ts";
export { NO_REGISTRY, type ImportRegistry } from "./import/register-model.ts";
export type { ByteSource } from "./facts/byte-source.ts";
export { readGgufFacts } from "./facts/gguf-facts.ts";
export { groupGgufFiles, type FileGroup, type GroupedFiles } from "./facts/group-files.ts";
export type { ModelDimensions, ModelFacts } from "./facts/model-facts.ts";
export { recordOfFacts } from "./facts/record-of-facts.ts";
export { readRemoteFacts } from "./facts/remote-facts.ts";
export { LocalFile } from "./import/local-file.ts";
export {
  planPull,
  requestPull,
  type PullOptions,
  type PullPlan,
  type PullRegistry,
} from "./transfers/plan-pull.ts";
export { pulledFrom, type PulledFrom } from "./transfers/pulled-from.ts";
export { cancelTransfer, followTransfer } from "./transfers/follow-transfer.ts";
export { runTransfer, type WorkOptions } from "./transfers/run-transfer.ts";
export type { FileProgress, TransferProgress } from "./transfers/progress.ts";
export { diskUsage, type DiskUsage, type StoreUsage, type Usage } from "./space/disk-usage.ts";
export { planPrune, type GoingModel, type PruneOptions, type PrunePlan } from "./space/plan-prune.ts";
export { prune, type PruneReport } from "./space/prune.ts";
export type { PlacingWay } from "./import/place-files.ts";
export { scan, type Scan, type ScanOptions } from "./stores/scan.ts";
export type { Inventory, InventoryModel, StoreSummary } from "./stores/inventory.ts";
export type { Finding, FoundFile, FoundModel, FoundState, Origin, StoreName } from "./stores/found-model.ts";
export type { Surroundings } from "./stores/store.ts";
export { planChanges, type ModelCorrection, type ScanPlan } from "./stores/plan-changes.ts";
export { applyChanges, toChanges, type ScanChanges } from "./stores/apply-changes.ts";
export { fitOfModel } from "./facts/fit-of-model.ts";
export type { MemoryNeed } from "./facts/memory-need.ts";
export { planRemoval, removeModels, type RemovalPlan } from "./space/remove-models.ts";
export { moveModel, type MovedModel, type MoveOptions } from "./folders/move-model.ts";
export { checkRevisions, type RevisionCheck } from "./space/check-revisions.ts";
export { requestUpdate, type RequestedUpdate } from "./space/update-files.ts";
export { TransferWorker, type WorkerOptions } from "./transfers/transfer-worker.ts";
export { Speedometer } from "./transfers/progress.ts";
