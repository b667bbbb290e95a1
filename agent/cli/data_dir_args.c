/* data_dir_args.c: see the header. */
#include "data_dir_args.h"
#include "cli.h"
#include "config_args.h"
#include <getopt.h>
#include <stdio.h>

static int help(const char *usage, int code)
{
    fprintf(code == SL_EXIT_OK ? stdout : stderr, "usage: %s -c FILE... | --data-dir DIR\n", usage);
    return code;
}

static int from_config(const sl_config_args *args, char data_dir[SL_MAX_DATA_DIR])
{
    sl_config *config = sl_config_args_load(args);
    if (!config) return SL_EXIT_USAGE;
    snprintf(data_dir, SL_MAX_DATA_DIR, "%s", config->service.data_dir);
    sl_config_free(config);
    return -1;
}

int sl_data_dir_args(int argc, char **argv, const char *usage, bool takes_more,
                     char data_dir[SL_MAX_DATA_DIR])
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"data-dir", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    sl_config_args args = {0};
    data_dir[0] = '\0';
    for (int opt; (opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (opt == 'h') return help(usage, SL_EXIT_OK);
        if (opt == 'd' && strlen(optarg) < SL_MAX_DATA_DIR)
            snprintf(data_dir, SL_MAX_DATA_DIR, "%s", optarg);
        else if (opt != 'c' || sl_config_args_add(&args, optarg) < 0)
            return help(usage, SL_EXIT_USAGE);
    }
    if (optind < argc && !takes_more) return help(usage, SL_EXIT_USAGE);
    if (data_dir[0] && args.count == 0) return -1;
    return !data_dir[0] && args.count ? from_config(&args, data_dir) : help(usage, SL_EXIT_USAGE);
}
