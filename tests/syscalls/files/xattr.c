/* Extended attributes: names that do not exist, namespaces that do not, listing of none. */
#include "guest.h"
#include <sys/xattr.h>

int main(void) {
    put_file("file", "x");
    char value[16];
    SHOW(getxattr("file", "user.missing", value, sizeof value) == -1 &&
         (errno == ENODATA || errno == EOPNOTSUPP));
    SHOW(getxattr("missing", "user.a", value, sizeof value));
    SHOW(setxattr("file", "nonsense", "v", 1, 0));
    SHOW(getxattr("file", "", value, sizeof value));
    SHOW(listxattr("file", value, 0));
    SHOW(fgetxattr(77, "user.a", value, sizeof value));
    SHOW(removexattr("missing", "user.a"));
    SHOW(listxattr("missing", value, 0));
    return 0;
}
