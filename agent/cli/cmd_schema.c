/* cmd_schema.c: `sluice schema`: the JSON schema of the configuration, for editors. */
#include "cli.h"
#include "pipeline/conf_docs.h"
#include <stdio.h>

int cmd_schema(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        fputs("usage: sluice schema\n", stderr);
        return SL_EXIT_USAGE;
    }
    sl_buf out = SL_BUF_NONE;
    sl_conf_docs_write_schema(&out);
    int code = fputs(sl_buf_cstr(&out), stdout) >= 0 && fflush(stdout) == 0 ? SL_EXIT_OK : SL_EXIT_FAILED;
    if (code != SL_EXIT_OK) perror("sluice: cannot write to standard output");
    sl_buf_release(&out);
    return code;
}
