/* cmd_schema.c: `sluice schema`: the JSON schema of the configuration, for editors. */
#include "cli.h"
#include "pipeline/conf_docs.h"
#include <stdio.h>

static int usage(int code)
{
    fputs("usage: sluice schema\n", code == SL_EXIT_OK ? stdout : stderr);
    return code;
}

int cmd_schema(int argc, char **argv)
{
    if (argc > 1) return usage(sl_is_help(argv[1]) ? SL_EXIT_OK : SL_EXIT_USAGE);
    sl_buf out = SL_BUF_NONE;
    sl_conf_docs_write_schema(&out);
    fputs(sl_buf_cstr(&out), stdout);
    sl_buf_release(&out);
    return SL_EXIT_OK;
}
