# Pages that were crawled again and again: the newest copy is kept. The page: how-to/newest-copy.md
for day in 01 03 02; do
    echo "{\"text\": \"The swing bridge at Quillmouth is closed until Friday evening.\", \"date\": \"2026-11-$day\"}"
done > pages.jsonl
dedup clean pages.jsonl --keep max:date --output newest.jsonl
grep 2026-11-03 newest.jsonl
test "$(wc -l < newest.jsonl)" -eq 1
