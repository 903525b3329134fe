export { safePath } from "./safe-path.ts";
export { modelFolders, type ModelsFolder } from "./folders/models-folder.ts";
export { chooseFolder, freeBytes } from "./folders/choose-folder.ts";
export { folderOf, placeInFolder } from "./folders/place-in-folder.ts";
