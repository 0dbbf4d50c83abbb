// The grammar of configuration files: config.md 2.2, beyond the cases of the vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/ini_file.hpp"
#include "config/loader.hpp"
#include "unit/config_findings.hpp"

namespace serialbattery::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> entries(std::string_view text) {
  std::vector<std::string> lines;
  for (const Entry& entry : read_ini(text).entries) lines.push_back(std::to_string(entry.line) + " " + entry.key + "=" + entry.value);
  return lines;
}

TEST(ConfigGrammar, FirstSeparatorSplits) {
  EXPECT_THAT(entries("[DEFAULT]\nA = b=c:d\nE: f = g\nH=\n"), ElementsAre("2 A=b=c:d", "3 E=f = g", "4 H="));
}

TEST(ConfigGrammar, QuotesAndCommentSignsBelongToTheValue) {
  EXPECT_THAT(entries("[DEFAULT]\nA = \"b\"\nC = d ;e #f\n"), ElementsAre("2 A=\"b\"", "3 C=d ;e #f"));
}

TEST(ConfigGrammar, ContinuationIsDeeperThanItsKeyLine) {
  EXPECT_THAT(entries("[DEFAULT]\n  A = 1,\n    2\n  B = 3\n C = 4\n"), ElementsAre("2 A=1,\n2", "4 B=3", "5 C=4"));
}

TEST(ConfigGrammar, ContinuationGoesOnAcrossCommentsAndEmptyLines) {
  EXPECT_THAT(entries("[DEFAULT]\nA = 1,\n; x\n\n  # y\n\t2\n"), ElementsAre("2 A=1,\n2"));
}

TEST(ConfigGrammar, ContinuationWithSeparatorOfAnUnknownKeyIsText) {
  EXPECT_THAT(entries("[DEFAULT]\nA = 1\n  UNKNOWN = 2\n"), ElementsAre("2 A=1\nUNKNOWN = 2"));
}

TEST(ConfigGrammar, IndentedKnownKeyIsAKeyAndSetsTheNewIndentation) {
  const auto file = read_ini("[DEFAULT]\nA = 1\n    LOGGING = INFO\n    B = 2\n      3\n");
  ASSERT_EQ(file.entries.size(), 3u);
  EXPECT_TRUE(file.entries[1].indented);
  EXPECT_EQ(file.entries[1].key, "LOGGING");
  EXPECT_FALSE(file.entries[2].indented);
  EXPECT_EQ(file.entries[2].value, "2\n3");
}

TEST(ConfigGrammar, NothingContinuesALineThatIsNoKeyLine) {
  EXPECT_THAT(findings("[DEFAULT]\nMAX_CELL_VOLTAGE = 3.5\nrubbish\n  1\n"), ElementsAre("rubbish syntax E", "1 syntax E"));
}

TEST(ConfigGrammar, LineWithoutKeyOrBracketIsASyntaxError) {
  EXPECT_THAT(findings("[DEFAULT]\n= 5\n[OTHER\n"), ElementsAre("= 5 syntax E", "[OTHER syntax E"));
}

TEST(ConfigGrammar, UnknownSectionIsReportedOnceEvenWithoutKeys) {
  EXPECT_THAT(findings("[DEFAULT]\n[ONE]\nLOGGING = NONSENSE\n  LOGGING = X\nrubbish\n[TWO]\n[]\n[ONE]\n"),
              ElementsAre("ONE unknown-section E", "TWO unknown-section E", " unknown-section E"));
}

TEST(ConfigGrammar, KeyBeforeAnySectionIsFatalInEachFile) {
  const Source shipped{"config.default.ini", "\n; c\nLOGGING = INFO\n[DEFAULT]\n", Layer::shipped};
  const Loaded loaded = load(std::array{shipped, Source{"config.ini", "[DEFAULT]\n"}});
  ASSERT_TRUE(loaded.fatal);
  EXPECT_EQ(loaded.fatal->place, (Place{"config.default.ini", 3}));
  EXPECT_THAT(loaded.fatal->message, testing::HasSubstr("first line must be [DEFAULT]"));
  EXPECT_FALSE(load_text("rubbish\n[DEFAULT]\n").fatal);
}

TEST(ConfigGrammar, BytesThatAreNotUtf8AreLatin1) {
  EXPECT_EQ(load_text("[DEFAULT]\nTEMPERATURE_1_NAME = K\xFChl \xC3\xBC\n").config.temperature_1_name, "K\xC3\xBChl \xC3\xBC");
  EXPECT_EQ(load_text("[DEFAULT]\nTEMPERATURE_1_NAME = \xED\xA0\x80\n").config.temperature_1_name, "\xC3\xAD\xC2\xA0\xC2\x80");
  EXPECT_THAT(findings("[DEFAULT]\nTEMPERATURE_1_NAME = \xFF\n"), IsEmpty());
}

TEST(ConfigGrammar, ZeroByteNeverShortensAValue) {
  using namespace std::string_literals;
  EXPECT_THAT(findings("[DEFAULT]\nMAX_CELL_VOLTAGE = 3.4\0 55\n"s), ElementsAre("MAX_CELL_VOLTAGE bad-number E"));
}

TEST(ConfigGrammar, LongLinesAreReadCompletely) {
  const std::string name(300'000, 'x');
  EXPECT_EQ(load_text("[DEFAULT]\nTEMPERATURE_1_NAME = " + name + "\n").config.temperature_1_name, name);
}

TEST(ConfigGrammar, MoreThanOneMebibyteIsReportedAndIgnored) {
  std::string text = "[DEFAULT]\nMAX_CELL_VOLTAGE = 3.5\n";
  text += std::string(max_file_size - text.size() - 1, ';') + "\nLOGGING = NONSENSE\n";
  const Loaded loaded = load_text(text);
  EXPECT_EQ(loaded.config.max_cell_voltage, 3.5);
  EXPECT_THAT(findings(loaded), ElementsAre(" syntax E"));
  text.resize(max_file_size);
  EXPECT_THAT(findings(text), IsEmpty());
}

TEST(ConfigGrammar, LastDuplicateCountsWithoutRegardToCase) {
  const Loaded loaded = load_text("[DEFAULT]\nmax_cell_voltage = abc\nMAX_CELL_VOLTAGE = 3.5\n");
  EXPECT_EQ(loaded.config.max_cell_voltage, 3.5);
  EXPECT_THAT(findings(loaded), ElementsAre("MAX_CELL_VOLTAGE wrong-case E", "MAX_CELL_VOLTAGE duplicate E"));
}

TEST(ConfigGrammar, TheSameKeyInBothFilesIsNoDuplicate) {
  const Source shipped{"config.default.ini", "[DEFAULT]\nMAX_CELL_VOLTAGE = 3.6\nFLOAT_CELL_VOLTAGE = 3.3\n", Layer::shipped};
  const Loaded loaded = load(std::array{shipped, Source{"config.ini", "[DEFAULT]\nMAX_CELL_VOLTAGE = 3.5\n"}});
  EXPECT_EQ(loaded.config.max_cell_voltage, 3.5);
  EXPECT_EQ(loaded.config.float_cell_voltage, 3.3);
  EXPECT_THAT(findings(loaded), IsEmpty());
}

TEST(ConfigGrammar, InlineCommentsAreRemovedPerLineOfAList) {
  const Loaded loaded = load_text("[DEFAULT]\nTEMPERATURES_WHILE_CHARGING = 0, 2, 5, ; cold\n  10, 40, 45, 50, 55 # warm\n");
  EXPECT_THAT(loaded.config.temperatures_while_charging, ElementsAre(0, 2, 5, 10, 40, 45, 50, 55));
  EXPECT_THAT(findings(loaded), ElementsAre("TEMPERATURES_WHILE_CHARGING inline-comment N"));
}

TEST(ConfigGrammar, InlineCommentNeedsABlankInFront) {
  EXPECT_THAT(findings("[DEFAULT]\nMAX_CELL_VOLTAGE = 3.5;\n"), ElementsAre("MAX_CELL_VOLTAGE bad-number E"));
}

TEST(ConfigGrammar, AnErrorBesideAnInlineCommentStaysTheError) {
  EXPECT_THAT(findings("[DEFAULT]\nMAX_CELL_VOLTAGE = 55.2 ; V\n"), ElementsAre("MAX_CELL_VOLTAGE bad-number E"));
}

TEST(ConfigGrammar, ReferencesTakeTheValueInUseOfAnyLayerInAnyCase) {
  const Source shipped{"config.default.ini", "[DEFAULT]\nTEMPERATURE_1_NAME = <%(temperature_2_name)s>\n", Layer::shipped};
  const Source user{"config.ini", "[DEFAULT]\nTEMPERATURE_2_NAME = %(TEMPERATURE_3_NAME)s/%(Helper)s\nHELPER = 50%%%\n"};
  const Loaded loaded = load(std::array{shipped, user});
  EXPECT_EQ(loaded.config.temperature_1_name, "<Temp 3/50%%>");
  EXPECT_THAT(findings(loaded), ElementsAre("HELPER unknown-key E"));
}

TEST(ConfigGrammar, OtherPercentSignsStandForThemselves) {
  EXPECT_EQ(load_text("[DEFAULT]\nTEMPERATURE_1_NAME = %s %(NOTHING)s %(LOGGING)d %(LOGGING %\n").config.temperature_1_name,
            "%s %(NOTHING)s %(LOGGING)d %(LOGGING %");
}

TEST(ConfigGrammar, ReferencesDoNotRevealSecrets) {
  const Config config = load_text(
                            "[DEFAULT]\nMQTT_PASSWORD = hunter2\nHELPER = %(MQTT_PASSWORD)s\nTEMPERATURE_1_NAME = %(HELPER)s\n"
                            "MQTT_USERNAME = %(MQTT_PASSWORD)s\n")
                            .config;
  EXPECT_EQ(config.temperature_1_name, "%(MQTT_PASSWORD)s");
  EXPECT_EQ(config.mqtt_username, "hunter2");
}

TEST(ConfigGrammar, CircularReferencesAreErrors) {
  EXPECT_THAT(findings("[DEFAULT]\nTEMPERATURE_1_NAME = %(TEMPERATURE_1_NAME)s\nMAX_CELL_VOLTAGE = %(MAX_CELL_VOLTAGE)s\n"),
              ElementsAre("TEMPERATURE_1_NAME bad-value E", "MAX_CELL_VOLTAGE bad-number E"));
}

std::string chain_of_references(int levels) {
  std::string text = "[DEFAULT]\nTEMPERATURE_1_NAME = %(K1)s\n";
  for (int i = 1; i < levels; ++i) text += "K" + std::to_string(i) + " = %(K" + std::to_string(i + 1) + ")s\n";
  return text + "K" + std::to_string(levels) + " = end\n";
}

TEST(ConfigGrammar, ReferencesMayBeTenLevelsDeep) {
  EXPECT_EQ(load_text(chain_of_references(10)).config.temperature_1_name, "end");
  EXPECT_EQ(load_text(chain_of_references(11)).config.temperature_1_name, "Temp 1");
}

TEST(ConfigGrammar, TooManyProblemsAreSummedUp) {
  std::string text = "[DEFAULT]\n";
  for (int i = 0; i < 5000; ++i) text += "rubbish\nXYZ = 1\nLOGGING = INFO\n";
  const Loaded loaded = load_text(text + "MAX_CELL_VOLTAGE = abc\n");
  EXPECT_LE(loaded.issues.size(), 410u);
  EXPECT_TRUE(loaded.config.blocked.charge) << "an unusable value is reported however many lines are wrong";
}

}  // namespace
}  // namespace serialbattery::config
