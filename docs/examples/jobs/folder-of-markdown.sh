# A folder of Markdown files. The page: how-to/clean-a-corpus.md
mkdir -p notes/old
printf '# Bridge\n\nThe swing bridge at Quillmouth is closed until Friday evening.\n' > notes/bridge.md
printf '# Bridge\n\nThe swing bridge at Quillmouth is closed until Friday evening!\n' > notes/old/copy.md
printf '# Market\n\nThe market moves to the grain hall for the winter.\n' > notes/market.md
dedup find notes/ --output report
dedup apply report --output clean
test "$(find clean -name '*.md' | wc -l)" -eq 2
