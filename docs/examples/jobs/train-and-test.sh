# Test texts that occur in the training data. The page: how-to/decontaminate-a-training-set.md
echo '{"text": "What is the capital of the harbour district, and which river flows through it in the spring?"}' > test.jsonl
echo '{"text": "A page about rivers. What is the capital of the harbour district, and which river flows through it in the spring? More follows."}' > train.jsonl
dedup match test.jsonl --against train.jsonl --min-words 10 --csv | grep train
