/* cmd_check.c: `sluice check -c FILE...`: validates the configuration and draws it. */
#include "cli.h"
#include "config_args.h"
#include "pipeline/conf_graph.h"
#include <getopt.h>
#include <stdio.h>

static int usage(int code)
{
    fputs("usage: sluice check -c FILE [-c FILE...]\n"
          "  -c FILE   a configuration file, or a folder of them\n",
          code == SL_EXIT_OK ? stdout : stderr);
    return code;
}

static void draw(const sl_config *config)
{
    sl_buf out = SL_BUF_NONE;
    sl_conf_graph_write(config, &out);
    sl_buf_append_cstr(&out, "\nThe configuration is good.\n");
    fputs(sl_buf_cstr(&out), stdout);
    sl_buf_release(&out);
}

int cmd_check(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    sl_config_args args = {0};
    for (int opt; (opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (opt == 'h') return usage(SL_EXIT_OK);
        if (opt != 'c' || sl_config_args_add(&args, optarg) < 0) return usage(SL_EXIT_USAGE);
    }
    if (optind < argc || args.count == 0) return usage(SL_EXIT_USAGE);
    sl_config *config = sl_config_args_load(&args);
    if (!config) return SL_EXIT_USAGE;
    draw(config);
    sl_config_free(config);
    return SL_EXIT_OK;
}
