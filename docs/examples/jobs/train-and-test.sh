# Training texts that occur in a test set are removed. The page: how-to/decontaminate-a-training-set.md
echo '{"text": "What is the capital of the harbour district, and which river flows through it in the spring?"}' > test.jsonl
echo '{"text": "A page. What is the capital of the harbour district, and which river flows through it in the spring?"}' > train.jsonl
echo '{"text": "The market moves to the grain hall for the winter months, and opens at eight."}' >> train.jsonl
dedup match train.jsonl --against test.jsonl --metric containment --min-words 10 --output report
dedup apply report --output clean
test "$(wc -l < clean/train.jsonl)" -eq 1
grep market clean/train.jsonl
