/* cmd_check.c: `sluice check -c FILE... [--connect]`: validates the configuration, draws it, tries the outputs. */
#include "cli.h"
#include "config_args.h"
#include "pipeline/conf_graph.h"
#include <getopt.h>
#include <stdio.h>

static int usage(int code)
{
    fputs("usage: sluice check -c FILE [-c FILE...] [--connect]\n"
          "  -c FILE    a configuration file, or a folder of them\n"
          "  --connect  also asks each output whether it could deliver; sends no record\n",
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

static bool connect_one(const sl_plugin_use *use)
{
    sl_err err = SL_ERR_NONE;
    printf("%s%s%s: ", use->pipeline ? use->pipeline : "", use->pipeline ? " -> " : "", use->name);
    fflush(stdout);
    if (!use->plugin->output->connect) {
        printf("nothing to connect to\n");
        return true;
    }
    bool good = use->plugin->output->connect(use->conf, &err) == 0;
    printf("%s\n", good ? "could deliver" : err.text);
    return good;
}

static bool connect_all(const sl_config *config)
{
    bool good = true;
    putchar('\n');
    for (size_t i = 0; i < config->outputs.count; i++)
        good = connect_one(config->outputs.items[i]) && good;
    return good;
}

int cmd_check(int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"connect", no_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    sl_config_args args = {0};
    bool connects = false;
    for (int opt; (opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (opt == 'h') return usage(SL_EXIT_OK);
        if (opt == 'o') {
            connects = true;
            continue;
        }
        if (opt != 'c' || sl_config_args_add(&args, optarg) < 0) return usage(SL_EXIT_USAGE);
    }
    if (optind < argc || args.count == 0) return usage(SL_EXIT_USAGE);
    sl_config *config = sl_config_args_load(&args);
    if (!config) return SL_EXIT_USAGE;
    draw(config);
    bool good = !connects || connect_all(config);
    sl_config_free(config);
    return good ? SL_EXIT_OK : SL_EXIT_FAILED;
}
