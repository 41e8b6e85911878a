# tries: be run as a link to something else
# expect: not started
# because: no regular file
# with: symlink code_symlink_entrypoint.py -> WORLD/token.json
