from account_book
