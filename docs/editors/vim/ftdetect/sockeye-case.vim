autocmd BufRead,BufNewFile *.case setfiletype sockeye-case
