import {
  outcomeOf,
  TRANSFER_STATES,
  FILE_ROLES,
  SOURCE_TYPES,
  type ErrorCode,
  type Transfer,
} from "@cortex/model-db";
import { z } from "zod";

const bytes = z.int().nonnegative();
const time = z.int().meta({ description: "Unix milliseconds" });

/** A transfer on the wire. */
export const transferSchema = z
  .object({
    object: z.literal("transfer"),
    transfer_id: z.int().positive(),
    reference: z.string().meta({ description: "What was asked for, as it was written" }),
    state: z.enum(TRANSFER_STATES).meta({ description: "`running` exactly while a process works on it" }),
    model_id: z.string().meta({ description: "The model that it makes" }),
    source_type: z.enum(SOURCE_TYPES),
    repository: z.string().nullable(),
    branch: z.string().nullable(),
    commit_id: z
      .string()
      .nullable()
      .meta({ description: "What the branch was exactly when it was asked for" }),
    files: z.array(
      z.object({
        path: z.string().meta({ description: "Below the models folder" }),
        role: z.enum(FILE_ROLES),
        size_bytes: bytes.nullable(),
        done_bytes: bytes,
      }),
    ),
    size_bytes: bytes.nullable(),
    done_bytes: bytes,
    alias: z.string().nullable(),
    owner: z.string().nullable(),
    private: z.boolean(),
    actor: z.string().meta({ description: "Who asked for it" }),
    error: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .meta({ description: "Why it failed" }),
    created_at: time,
    updated_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
  })
  .meta({ id: "Transfer" });

/** A transfer, for documentation. */
export const TRANSFER_EXAMPLE: z.output<typeof transferSchema> = {
  object: "transfer",
  transfer_id: 3,
  reference: "hf.co/TheBloke/Mistral-7B-GGUF:Q4_K_M",
  state: "running",
  model_id: "TheBloke:Mistral-7B-GGUF:mistral-7b.Q4_K_M.gguf",
  source_type: "huggingface",
  repository: "TheBloke/Mistral-7B-GGUF",
  branch: "main",
  commit_id: "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567",
  files: [
    {
      path: "huggingface.co/TheBloke/Mistral-7B-GGUF/mistral-7b.Q4_K_M.gguf",
      role: "weights",
      size_bytes: 4_368_439_584,
      done_bytes: 1_048_576_000,
    },
  ],
  size_bytes: 4_368_439_584,
  done_bytes: 1_048_576_000,
  alias: null,
  owner: "ada",
  private: false,
  actor: "ada",
  error: null,
  created_at: 1_767_225_600_000,
  updated_at: 1_767_225_660_000,
  started_at: 1_767_225_601_000,
  finished_at: null,
};

/** The wire record of a transfer: without what is of this machine alone. */
export function toWireTransfer(transfer: Transfer): z.output<typeof transferSchema> {
  const { errorCode, errorMessage } = transfer;
  return {
    object: "transfer",
    transfer_id: transfer.transferId,
    reference: transfer.reference,
    state: transfer.state,
    model_id: transfer.modelId,
    source_type: transfer.sourceType,
    repository: transfer.repository,
    branch: transfer.branch,
    commit_id: transfer.commitId,
    files: transfer.files.map(({ path, role, sizeBytes, doneBytes }) => ({
      path,
      role,
      size_bytes: sizeBytes,
      done_bytes: doneBytes,
    })),
    size_bytes: transfer.sizeBytes,
    done_bytes: transfer.doneBytes,
    alias: transfer.alias,
    owner: transfer.owner,
    private: transfer.private,
    actor: transfer.actor,
    error:
      errorCode === null
        ? null
        : { code: errorCode, message: publicMessage(errorCode, errorMessage, transfer) },
    created_at: transfer.createdAt,
    updated_at: transfer.updatedAt,
    started_at: transfer.startedAt,
    finished_at: transfer.finishedAt,
  };
}

// What concerns the source is for whoever asked; of this machine nobody learns where things lie on it.
function publicMessage(code: string, message: string | null, { folder }: Transfer): string {
  const isOfSource = code === "source_unreachable" || isBelow500(code);
  if (!isOfSource || message === null)
    return "The machine cannot do that now; its operator can see why there.";
  return message.replaceAll(folder, "models");
}

function isBelow500(code: string): boolean {
  const outcome = outcomeOf(code as ErrorCode) as { httpStatus: number } | undefined;
  return outcome !== undefined && outcome.httpStatus < 500;
}
