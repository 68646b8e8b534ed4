# init, commit, log, merge, local clone, gc; object names included.
set -e
git init -q -b main repo; cd repo
for i in 1 2 3; do echo "content $i" > file$i; mkdir -p dir$i; seq $((i * 100)) > dir$i/numbers; git add .; git commit -q -m "commit $i"; done
git log --oneline --stat; git status --short; echo change >> file1; git diff; git stash -q; git stash pop -q
git checkout -q -b side HEAD~1; echo side > side; git add side; git commit -q -m side; git checkout -q main -- 2>/dev/null || git stash -q && git checkout -q main
git merge -q --no-edit side; git log --format='%H %an %s' --graph
cd ..; git clone -q repo clone; cd clone; git log --oneline | wc -l; git branch -a; ls
git gc -q; git count-objects -v | grep -E 'in-pack|packs|garbage'; git fsck; git rev-parse HEAD; git grep -c content; git blame -s file1; git archive HEAD | tar -t | wc -l
