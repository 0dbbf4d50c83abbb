// The small files that outlive a run: never half written.
#include "link/files.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "support/spawned.hpp"

namespace serialbattery::link {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// No file can be longer than this while the object lives, as on a disk that is nearly full.
class LongestFile {
 public:
  explicit LongestFile(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~LongestFile() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  LongestFile(const LongestFile&) = delete;
  LongestFile& operator=(const LongestFile&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST(ReplaceFile, CreatesTheFolderAndReplacesTheContent) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "deeper" / "ttyUSB0";
  EXPECT_FALSE(replace_file(file, "a longer text"));
  EXPECT_FALSE(replace_file(file, "new"));
  EXPECT_EQ(content(file), "new");
  EXPECT_EQ(files_in(file.parent_path()), 1U);
}

TEST(ReplaceFile, WithoutRoomTheOldContentStays) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "ttyUSB0";
  ASSERT_FALSE(replace_file(file, "old"));
  for (const rlim_t room : {0, 2}) {
    const LongestFile full(room);
    EXPECT_TRUE(replace_file(file, "new and longer"));
  }
  EXPECT_EQ(content(file), "old");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(ReplaceFile, AFolderThatCannotBeMadeIsAnError) {
  EXPECT_TRUE(replace_file("/proc/no/such/folder/file", "x"));
}

TEST(FileNames, HoldNoSeparators) {
  EXPECT_EQ(file_name_of("ttyUSB0"), "ttyUSB0");
  EXPECT_EQ(file_name_of("C8:47:8C/../x y"), "C8_47_8C_.._x_y");
}

}  // namespace serialbattery::link
