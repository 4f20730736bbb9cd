"""The portal: the pages people see first. What is here, who publishes it, in which state it is, and how to take it away.

It writes nothing and decides nothing about data: `views` asks the rooms' services, `words` says the answer in plain English,
`pages` shows it. What belongs to all sites lives in `web`.
"""
