# An article whose body stands in the file twice, cleaned in the shell. The page: how-to/find-a-doubled-body.md
EXAMPLES="${EXAMPLES:-docs/examples}"
dedup clean "$EXAMPLES/doubled-article.txt" --repeats --output clean.txt
test "$(wc -w < clean.txt)" -lt "$(wc -w < "$EXAMPLES/doubled-article.txt")"
dedup repeats clean.txt | grep "no repeats"
