# Yours to change: the home of a workspace is kept between sandboxes.
autoload -Uz compinit && compinit -d "$HOME/.cache/zcompdump"
HISTFILE=$HOME/.zsh_history HISTSIZE=10000 SAVEHIST=10000
setopt append_history hist_ignore_dups
PROMPT='%F{green}aibox%f %F{blue}%~%f %# '
