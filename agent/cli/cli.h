/* cli.h: the commands. Each is one file, cmd_<name>.c, and gets the arguments from its own name on.
 *
 * Exit codes (DESIGN 8): 0 done, 1 failed at run time, 2 configuration or usage. Errors go to stderr, help
 * that was asked for to stdout. What a command prints need not be looked after: main() says when standard
 * output did not take it, and ends with 1.
 */
#ifndef SLUICE_CLI_H
#define SLUICE_CLI_H

#include <stdbool.h>
#include <string.h>

enum { SL_EXIT_OK = 0, SL_EXIT_FAILED = 1, SL_EXIT_USAGE = 2 };

static inline bool sl_is_help(const char *argument)
{
    return strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0;
}

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_journal(int argc, char **argv);
int cmd_deadletter(int argc, char **argv);
int cmd_state(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
