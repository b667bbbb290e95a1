/* cmd_version.c: the version, and what the program was built with. */
#include "cli.h"
#include <sluice/json.h>
#include <stdio.h>

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("sluice %s (plugin ABI %d, JSON scanner %s)\n", SLUICE_VERSION, SL_ABI_VERSION,
           sl_json_scanner_name());
    return SL_EXIT_OK;
}
