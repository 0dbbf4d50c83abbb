# GCC 12 makes a coroutine crash that awaits inside the condition of an `if` and has no local variable: `if (co_await f()) co_return;`.
# So results are awaited into a named value first. (A declaration as condition, `if (auto x = co_await f())`, is safe.)
add_test(NAME coroutine_conditions WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMAND sh -c "! grep -rnE --include=*.cpp --include=*.hpp '(if|while) \\((([^()=]|\\([^()]*\\))*)co_await' src bms include tests")
