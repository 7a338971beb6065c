"""What commands share. An error of ours ends the command as one line (`entry.main`), so few functions list theirs."""
