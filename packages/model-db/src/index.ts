export {
  openRegistry,
  type Registry,
  type RegistryOptions,
  type Repositories,
  type SchemaStatus,
} from "./registry.ts";
export { openReader, type RegistryReader } from "./registry-reader.ts";
export type { WatchOptions } from "./watch.ts";
export type { ModelTally } from "./repositories/model-tally.ts";
export { commits, type Commit } from "./database/commits.ts";
export type { Caller, GuardedRegistry } from "./guarded-registry.ts";
export {
  RIGHTS,
  ROLES,
  type AccessToken,
  type Grant,
  type Guarded,
  type Identity,
  type NewGrant,
  type Right,
  type Role,
  type User,
} from "./domain/access.ts";
export type { AccessControl } from "./repositories/access-control.ts";
export type { NewToken, Tokens } from "./repositories/tokens.ts";
export type { Users } from "./repositories/users.ts";
export { RegistryError, isRegistryError, outcomeOf, type ErrorCode } from "./errors.ts";
export {
  AVAILABILITIES,
  FILE_ROLES,
  MODEL_STATUS,
  SOURCE_TYPES,
  type Availability,
  type FileRole,
  type JsonObject,
  type JsonValue,
  type Model,
  type ModelFile,
  type ModelStatus,
  type ModelSummary,
  type ModelUpdate,
  type NewModel,
  type NewModelFile,
  type SourceType,
} from "./domain/model.ts";
export { EVENT_KINDS, type EventKind, type EventOrigin, type ModelEvent } from "./domain/event.ts";
export type { NewRun, Run } from "./domain/run.ts";
export {
  TRANSFER_STATES,
  type NewTransfer,
  type NewTransferFile,
  type Transfer,
  type TransferClaim,
  type TransferFile,
  type TransferFileProgress,
  type TransferState,
} from "./domain/transfer.ts";
export {
  MODEL_FIELDS,
  FILTER_FIELDS,
  type Field,
  type ModelField,
  type FilterField,
} from "./domain/fields.ts";
export {
  toEventRecord,
  toFileRecord,
  toProperties,
  toRecord,
  toRunRecord,
  toTokenRecord,
  toTransferRecord,
  toUserRecord,
  type ModelRecord,
} from "./domain/record.ts";
export { Projection, RECORD, type ProjectedField } from "./domain/projection.ts";
export type {
  Comparison,
  FilterValue,
  ListOptions,
  ModelFilter,
  ModelSelection,
  Page,
  TagFilter,
} from "./domain/list-options.ts";
export { parseListWords, type ListWords } from "./domain/list-words.ts";
export { parseDuration, parseMoment } from "./domain/moment-text.ts";
export { formatCount, formatSize, parseCount, parseSize } from "./domain/quantity.ts";
export { checkNewModel } from "./domain/parse-model.ts";
export { shortAliases } from "./domain/short-aliases.ts";
export { nearest } from "./domain/nearest.ts";
export { shellQuote } from "./domain/shell-quote.ts";
export { hasForbiddenCharacter, toVisible } from "./domain/text.ts";
export { hostRegistry, type Host, type MovingIn } from "./maintenance/host-registry.ts";
export { defaultDataFolder, defaultRegistryLocation } from "./database/location.ts";
export { APPLICATION_ID } from "./database/sqlite/application-id.ts";
export type { ModelReader } from "./repositories/model-reader.ts";
export type { ListChange, ModelJson, Models } from "./repositories/models.ts";
export type { FileDigest, FileDigests } from "./repositories/file-digests.ts";
export type { Files } from "./repositories/files.ts";
export type { FoundFile } from "./repositories/file-rows.ts";
export type { EventFilter, History, HistoryOptions } from "./repositories/history.ts";
export type { Runs } from "./repositories/runs.ts";
export type { TransferListOptions, Transfers } from "./repositories/transfers.ts";
export type { ClaimedTransfer, FetchedModel, TransferWork } from "./repositories/transfer-work.ts";
export type { IdempotentAnswer, IdempotentAnswers } from "./repositories/idempotent-answers.ts";
export type { ChangeOptions } from "./repositories/scope.ts";
export { automaticBackupFolder, defaultBackupFolder, registryOfBackup } from "./maintenance/backup-folder.ts";
export { continuousBackupOf, type ContinuousBackup } from "./maintenance/continuous-backup.ts";
export { createSnapshot, isIntactSnapshot, listSnapshots, type Snapshot } from "./maintenance/snapshots.ts";
export { lastLoggedEventId, readChangeLog, type LogDamage } from "./maintenance/change-log.ts";
export { followBackup, type FollowOptions } from "./maintenance/follow.ts";
export { repairRegistry, type RepairOptions, type RepairReport } from "./maintenance/repair.ts";
export { restoreFile, type RestoreFileOptions, type RestoreFileReport } from "./maintenance/restore-file.ts";
export type { OnProgress, RebuildReport } from "./maintenance/rebuild.ts";
export type { AssemblyReport, ModelReport } from "./maintenance/assembly-report.ts";
export { checkRegistry, type CheckOptions } from "./maintenance/check.ts";
export { createBugReport, type BugReport } from "./maintenance/bug-report.ts";
export type { Finding, FindingCode } from "./maintenance/findings.ts";
export { restoreAsChanges, type ChangesReport, type PastTarget } from "./maintenance/undo.ts";
export type { Revised, Revision, Revisions } from "./repositories/revisions.ts";
