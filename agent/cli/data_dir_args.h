/* data_dir_args.h: which data_dir a command looks into: named itself, or taken from a configuration. */
#ifndef SLUICE_DATA_DIR_ARGS_H
#define SLUICE_DATA_DIR_ARGS_H

#define SL_MAX_DATA_DIR 4096

/* Reads `[-c FILE... | --data-dir DIR]`. Fills data_dir and returns -1, or has said what is wrong (or helped)
 * and returns an exit code. command: for the usage line. Arguments behind the options are left at optind. */
int sl_data_dir_args(int argc, char **argv, const char *command, char data_dir[SL_MAX_DATA_DIR]);

#endif
