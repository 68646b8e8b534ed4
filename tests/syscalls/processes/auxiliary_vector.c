/* The auxiliary vector: what the C library builds on is there and sane. */
#include "guest.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

int main(int argc, char **argv) {
    (void)argc;
    SHOW(getauxval(AT_PAGESZ));
    SHOW(getauxval(AT_UID) == getuid());
    SHOW(getauxval(AT_EUID) == geteuid());
    SHOW(getauxval(AT_SECURE));
    SHOW(getauxval(AT_CLKTCK));
    SHOW(getauxval(AT_PHENT));
    const ElfW(Phdr) *header = (void *)getauxval(AT_PHDR);
    SHOW(header->p_type == PT_PHDR);
    SHOW(getauxval(AT_PHNUM) > 5);
    SHOW(getauxval(AT_BASE) != 0);
    SHOW(getauxval(AT_RANDOM) != 0);
    SHOW(getauxval(AT_HWCAP) != 0);
    SHOW(getauxval(AT_SYSINFO_EHDR) != 0);
    puts((char *)getauxval(AT_PLATFORM));
    SHOW(strcmp((char *)getauxval(AT_EXECFN), argv[0]) == 0);
    int local;
    SHOW((uintptr_t)&local % 4 == 0 && (char *)getauxval(AT_EXECFN) > (char *)&local);
    SHOW(((uintptr_t)__builtin_frame_address(0) & 15) == 0);
    return 0;
}
