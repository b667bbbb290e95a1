/* aws_env.h: the environment and home folder that a test of AWS's sources sees. */
#ifndef SLUICE_AWS_ENV_H
#define SLUICE_AWS_ENV_H

/* No AWS_… variable is set; HOME is an empty folder, which is returned: storage of the call's own. */
const char *sl_test_aws_env(void);
/* Writes a file below that folder, with its parents. */
void sl_test_aws_file(const char *home, const char *path, const char *text);

#endif
