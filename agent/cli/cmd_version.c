/* cmd_version.c: the version, and what the program was built with. */
#include "cli.h"
#include <sluice/json.h>
#include <stdio.h>

int cmd_version(int argc, char **argv)
{
    if (argc > 1) {
        bool help = sl_is_help(argv[1]);
        fputs("usage: sluice version\n", help ? stdout : stderr);
        return help ? SL_EXIT_OK : SL_EXIT_USAGE;
    }
    printf("sluice %s (plugin ABI %d, JSON scanner %s)\n", SLUICE_VERSION, SL_ABI_VERSION,
           sl_json_scanner_name());
    return SL_EXIT_OK;
}
