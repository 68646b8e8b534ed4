/* rename(2) and renameat2(2): over files, directories, links, and into itself. */
#include "guest.h"

int main(void) {
    put_file("a", "A");
    put_file("b", "B");
    SHOW(rename("a", "b"));
    show_file("a");
    show_file("b");
    SHOW(rename("missing", "c"));
    SHOW(mkdir("d", 0755));
    SHOW(mkdir("e", 0755));
    SHOW(rename("b", "d"));
    SHOW(rename("d", "b"));
    SHOW(rename("b", "d/b"));
    SHOW(rename("e", "d"));
    SHOW(rename("d", "e"));
    show_file("e/b");
    SHOW(rename("e", "e/below"));
    SHOW(rename("e", "."));
    SHOW(rename(".", "x"));
    SHOW(rename("e/..", "x"));
    SHOW(link("e/b", "hard"));
    SHOW(rename("hard", "e/b"));
    SHOW(access("hard", F_OK));
    SHOW(symlink("e/b", "soft"));
    SHOW(rename("soft", "moved"));
    show_file("moved");
    put_file("target", "T");
    SHOW(rename("target", "moved"));
    show_file("e/b");
    SHOW(rename("moved/", "f"));
    SHOW(rename("e/", "g/"));
    SHOW(rename("moved", "new/"));
    put_file("one", "1");
    put_file("two", "2");
    SHOW(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_NOREPLACE));
    SHOW(renameat2(AT_FDCWD, "one", AT_FDCWD, "three", RENAME_NOREPLACE));
    SHOW(renameat2(AT_FDCWD, "two", AT_FDCWD, "three", RENAME_EXCHANGE));
    show_file("two");
    show_file("three");
    SHOW(renameat2(AT_FDCWD, "two", AT_FDCWD, "missing", RENAME_EXCHANGE));
    SHOW(renameat2(AT_FDCWD, "two", AT_FDCWD, "g", RENAME_EXCHANGE | RENAME_NOREPLACE));
    SHOW(renameat2(AT_FDCWD, "two", AT_FDCWD, "g", RENAME_EXCHANGE));
    SHOW(open("two", O_RDONLY | O_DIRECTORY));
    show_file("g");
    return 0;
}
