" Cases of sockeye: docs/cases.md has the language.
if exists("b:current_syntax")
  finish
endif

syntax match caseCall "\<[a-z_][a-z_0-9]*\ze("
syntax match caseConstant "\<[A-Z][A-Z0-9]*\(_[A-Za-z0-9]\+\)\+\>\|\<E\?POLL[A-Z]\+\>\|\<\(SIOC\|FIO\|TIOC\)[A-Z]\+\>\|\<NULL\>"
syntax match caseErrno "\<E[A-Z0-9]\{2,}\>"
syntax match caseNumber "\<\(0x\x\+\|\d\+\(\.\d\+\)\{3}\|\d\+\)\>"
syntax region caseString start=+"+ skip=+\\.+ end=+"+ oneline
syntax keyword caseHost own neighbour neighbor unresolved silent port pattern if_nametoindex
syntax match caseSystem "\<on \(linux\|macos\)\>"
syntax match casePending "<unfinished \.\.\.>\|<\.\.\. [a-z_0-9]\+ resumed>"
syntax match caseLink "^\s*\(tun\|tap\)\>"
syntax match caseSetup "^\s*\(link\|address\|route\|ntable\|sysctl\|serve\|name server\|window\|catalogue\|title\|/etc/hosts:\)"
syntax match caseTable "^\s*\(each case\|case\|for\|let\|without\|if\)\>"
syntax match caseStep "^\s*\(--\|[<>]\)\ze\s"
syntax match caseComment "^\s*#.*$"

highlight default link caseCall Function
highlight default link caseConstant Constant
highlight default link caseErrno Exception
highlight default link caseNumber Number
highlight default link caseString String
highlight default link caseHost Identifier
highlight default link caseSystem Keyword
highlight default link casePending Comment
highlight default link caseLink Type
highlight default link caseSetup Statement
highlight default link caseTable Keyword
highlight default link caseStep Operator
highlight default link caseComment Comment

let b:current_syntax = "sockeye-case"
