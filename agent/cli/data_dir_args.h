/* data_dir_args.h: which data_dir a command looks into: named itself, or taken from a configuration. */
#ifndef SLUICE_DATA_DIR_ARGS_H
#define SLUICE_DATA_DIR_ARGS_H

#include <stdbool.h>

#define SL_MAX_DATA_DIR 4096

/* Reads `[-c FILE... | --data-dir DIR]`. Fills data_dir and returns -1, or has said what is wrong (or helped)
 * and returns an exit code. usage: of the command, without these options. Arguments behind the options are
 * left at optind where the command takes any, else they are wrong. */
int sl_data_dir_args(int argc, char **argv, const char *usage, bool takes_more,
                     char data_dir[SL_MAX_DATA_DIR]);

#endif
