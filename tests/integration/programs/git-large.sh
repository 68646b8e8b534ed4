# clone, rebase, worktree, gc on a repository of 2,000 files; object names included.
set -e
git init -q -b main repo; cd repo
for directory in $(seq 40); do
    mkdir -p "src/$directory"
    for file in $(seq 50); do echo "file $file of $directory" > "src/$directory/$file.txt"; done
done
git add .; git commit -q -m "2,000 files"; git ls-files | wc -l
git checkout -q -b side
for n in 1 2 3; do echo "side $n" >> "src/$n/1.txt"; git commit -q -a -m "side $n"; done
git checkout -q main
echo main >> src/40/50.txt; git mv src/39 moved; git commit -q -a -m "move a directory"
git rebase -q main side; git log --format='%H %s'; git diff --stat main side
# A rebase that stops, and is told how to go on.
git checkout -q -b conflict main; echo other >> src/1/1.txt; git commit -q -a -m conflict
git rebase -q side >conflict.out 2>&1 || echo "stopped: $(git diff --name-only --diff-filter=U)"
rm conflict.out; echo resolved > src/1/1.txt; git add .; GIT_EDITOR=true git rebase --continue >/dev/null
git log -1 --format='%H %s'; git status --short
cd ..
git clone -q repo linked; git clone -q "file://$PWD/repo" packed; git clone -q --bare repo bare.git
for clone in linked packed; do
    git -C $clone rev-parse HEAD; git -C $clone status --short; git -C $clone fsck
    find $clone -name .git -prune -o -type f -print | wc -l
done
cd repo
git worktree add -q ../tree side; git -C ../tree status --short; ls ../tree; cat ../tree/src/3/1.txt
echo more > ../tree/more; git -C ../tree add more; git -C ../tree commit -q -m more
git rev-parse side; git worktree remove ../tree; git worktree list | wc -l; git worktree prune
git gc -q --prune=now; git count-objects -v | grep -E '^(count|in-pack|packs|garbage)'; git fsck
git rm -q -r src; git commit -q -m "remove"; git ls-files | wc -l; find . -name .git -prune -o -type f -print | wc -l
