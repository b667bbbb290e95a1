/* cmd_run.c: `sluice run -c FILE... [--once]`. */
#include "app.h"
#include "cli.h"
#include "config_args.h"
#include "progress.h"
#include <getopt.h>
#include <stdio.h>

static int usage(int code)
{
    fputs("usage: sluice run -c FILE [-c FILE...] [--once]\n"
          "  -c FILE   a configuration file, or a folder of them\n"
          "  --once    read every input to its end, deliver all, print a summary, exit\n",
          code == SL_EXIT_OK ? stdout : stderr);
    return code;
}

static int run(const sl_app_conf *conf)
{
    bool once = conf->once;
    sl_err err = SL_ERR_NONE;
    int64_t started = sl_clock_mono_ns();
    sl_app *app = sl_app_start(conf, &err);
    if (!app) {
        fprintf(stderr, "sluice: %s\n", err.text);
        return err.code == SL_E_CONFIG ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    sl_progress *progress = once ? sl_progress_start(app) : NULL;
    bool complete = sl_app_run(app);
    sl_progress_stop(progress);
    if (once) sl_progress_print_summary(app, (double)(sl_clock_mono_ns() - started) / SL_NS_PER_S, complete);
    sl_app_free(app);
    return complete || !once ? SL_EXIT_OK : SL_EXIT_FAILED;
}

int cmd_run(int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"once", no_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    sl_config_args args = {0};
    bool once = false;
    for (int opt; (opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (opt == 'c' && sl_config_args_add(&args, optarg) == 0) continue;
        if (opt == 'o') {
            once = true;
            continue;
        }
        return usage(opt == 'h' ? SL_EXIT_OK : SL_EXIT_USAGE);
    }
    if (optind < argc || args.count == 0) return usage(SL_EXIT_USAGE);
    sl_memory_tune();
    sl_fs_raise_open_limit();
    sl_config *config = sl_config_args_load(&args);
    if (!config) return SL_EXIT_USAGE;
    sl_log_init(config->service.log_level, config->service.log_json);
    int code =
        run(&(sl_app_conf){.config = config, .paths = args.paths, .n_paths = args.count, .once = once});
    sl_config_free(config);
    return code;
}
