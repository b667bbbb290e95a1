/* conf_golden.h: broken configurations, and what must be said about them. */
#ifndef SLUICE_CONF_GOLDEN_H
#define SLUICE_CONF_GOLDEN_H

/* Each folder of tests/golden/<folder> holds input.yaml and `expected`. In input.yaml every secret holds
 * "hunter2", which is also the value of ${SLUICE_GOLDEN_SECRET}. Fails the test where something else is said,
 * a secret is shown, or there are fewer cases than `at_least`. With SLUICE_GOLDEN_UPDATE=1 in the
 * environment, `expected` is written anew: read the difference before you commit it. */
void sl_test_conf_golden(const char *folder, int at_least);

#endif
