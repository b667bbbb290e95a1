/* Broken options of the plugins that are built in: tests/golden/config_plugins. What one row refuses is told
 * by tests/golden/config; here it is what check() of a plugin finds. */
#include "check_main.h"
#include "conf_golden.h"

START_TEST(builtin_golden__every_broken_option_gets_its_answer)
{
    sl_test_conf_golden("config_plugins", 6);
}
END_TEST

SL_TEST_MAIN("builtin_golden", builtin_golden__every_broken_option_gets_its_answer)
