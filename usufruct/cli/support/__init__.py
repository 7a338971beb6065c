"""What commands share. An error of ours ends the command as one line (`root.main`), so few functions list theirs."""
