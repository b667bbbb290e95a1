/* data_dir_args.c: see the header. */
#include "data_dir_args.h"
#include "cli.h"
#include "config_args.h"
#include <getopt.h>
#include <stdio.h>

static int usage(const char *command, int code)
{
    fprintf(stderr, "usage: %s [-c FILE... | --data-dir DIR]\n", command);
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

int sl_data_dir_args(int argc, char **argv, const char *command, char data_dir[SL_MAX_DATA_DIR])
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"data-dir", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    sl_config_args args = {0};
    data_dir[0] = '\0';
    for (int opt; (opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (opt == 'h') return usage(command, SL_EXIT_OK);
        if (opt == 'd' && strlen(optarg) < SL_MAX_DATA_DIR)
            snprintf(data_dir, SL_MAX_DATA_DIR, "%s", optarg);
        else if (opt != 'c' || sl_config_args_add(&args, optarg) < 0)
            return usage(command, SL_EXIT_USAGE);
    }
    if (data_dir[0] && args.count == 0) return -1;
    return !data_dir[0] && args.count ? from_config(&args, data_dir) : usage(command, SL_EXIT_USAGE);
}
