# Every day's texts against all that came before. The page: how-to/texts-seen-before.md
dedup index create seen.index
echo '{"text": "The swing bridge at Quillmouth is closed until Friday evening."}' > monday.jsonl
echo '{"text": "The swing bridge at Quillmouth is closed until Friday evening!"}' > tuesday.jsonl
echo '{"text": "The market moves to the grain hall for the winter months."}' >> tuesday.jsonl
dedup index filter-new seen.index monday.jsonl --output new-monday
dedup index filter-new seen.index tuesday.jsonl --output new-tuesday
test "$(cat new-tuesday/* | wc -l)" -eq 1
dedup index stats seen.index | grep 2
