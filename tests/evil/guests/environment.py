# tries: find secrets in the environment
# expect: finished
# hides: /usr/bin
# hides: CARGO
# hides: SYFTBOX_BIN
# says: ['HOME', 'PYTHONTZPATH', 'SYFTBOX_EMAIL', 'SYFTBOX_FOLDER', 'SYFT_IS_IN_JOB', 'TMPDIR']
import os

print(sorted(os.environ))
print([f"{name}={value}" for name, value in os.environ.items()])
