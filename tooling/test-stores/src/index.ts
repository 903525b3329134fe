export { contentOf, hollowContent, writeTo, type Content } from "./content.ts";
export { HuggingFaceCache } from "./hugging-face-cache.ts";
export { OllamaStore } from "./ollama-store.ts";
export { DockerStore } from "./docker-store.ts";
export { RamaLamaStore } from "./ramalama-store.ts";
export { addToCortexCpp, addToJan } from "./yaml-stores.ts";
