import { MisuseError } from "../errors.ts";
import { oneOf } from "../one-of.ts";
import { writeOut } from "../output/stream.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Prints the script that teaches a shell to complete `cortex`. */
export async function completion(options: { readonly shell?: string }): Promise<void> {
  if (options.shell === undefined)
    throw new MisuseError(`For which shell? cortex completion ${SHELLS.join("|")}.`);
  writeOut(SCRIPTS[oneOf("completion", options.shell, SHELLS)]);
}

// bash splits words at `:`, which model ids are full of: the part before the last one is already there. It puts
// candidates into the line as they are, to be run; zsh and fish quote them.
const BASH = String.raw`# cortex: completion for bash. Use it with: source <(cortex completion bash)
_cortex() {
  local line=("\${COMP_WORDS[@]:1:COMP_CWORD}") words=() word joined=0 index
  for ((index = 0; index < \${#line[@]}; index++)); do
    word=\${line[index]}
    if [[ $joined == 1 || ( $word == [:=] && \${#words[@]} -gt 0 ) ]]; then
      words[\${#words[@]}-1]+=$word
      [[ $word == [:=] ]] && joined=1 || joined=0
    else
      words+=("$word")
    fi
  done
  COMPREPLY=()
  # Within open quotes nothing is offered: what is safe there differs from what is safe outside.
  [[ \${words[\${#words[@]}-1]} == *[\'\"]* ]] && return
  for ((index = 0; index < \${#words[@]}; index++)); do
    word=\${words[index]}
    if [[ $word == \'*\' || $word == \"*\" ]]; then
      words[index]=\${word:1:\${#word}-2}
    else
      # Without -r, read undoes backslashes as the shell does.
      IFS= read words[index] <<<"$word"
    fi
  done
  local current=\${words[\${#words[@]}-1]} prefix= found
  [[ $current == *[:=]* ]] && prefix=\${current%"\${current##*[:=]}"}
  while IFS= read -r found; do
    # A name may hold $(…): as it is put into the line it must mean only itself.
    COMPREPLY+=("$(printf %q "\${found#"$prefix"}")")
  done < <(cortex __complete "\${words[@]}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default
}
complete -F _cortex cortex
`.replaceAll("\\$", "$");

const ZSH = String.raw`#compdef cortex
# cortex: completion for zsh. Use it, after compinit, with: source <(cortex completion zsh)
_cortex() {
  local -a before found
  before=("\${(@Q)words[2,CURRENT-1]}")
  found=("\${(@f)$(cortex __complete "\${before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  if (( \${#found} )); then
    compadd -- "\${found[@]}"
  else
    _files
  fi
}
if [[ $funcstack[1] == _cortex ]]; then
  _cortex "$@"
else
  compdef _cortex cortex
fi
`.replaceAll("\\$", "$");

const FISH = `# cortex: completion for fish. Use it with: cortex completion fish | source
function __cortex_complete
    set -l before (commandline -opc)
    set -l written (commandline -ct)
    set -l current $written
    # As it is without its quotes, of which the last may be open still.
    for end in '' \\' '"'
        if set -l plain (string unescape -- "$written$end")
            set current $plain
            break
        end
    end
    set -l found (cortex __complete $before[2..-1] "$current" 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        # The files that an unknown command would be offered.
        complete -C "'' $written"
    end
end
complete -c cortex -f -a '(__cortex_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
